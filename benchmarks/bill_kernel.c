/* The bill of work/bill by hand: the opponent that the compiled rules are measured against.

   Built when the race starts, see benchmarks/native.py.  Everything that helps a C compiler is given to it: one straight loop, `restrict`, no branches,
   whole numbers held in double, one multiplication in place of the division, 32-bit table entries, and a table whose columns stand so that the
   reduced band needs no second look-up.  What an officer may change (amounts, discounts, premiums) is read from arrays, as it is for the rules.

   Rounding: floor((2n + d) / 2d) is worked out as floor((n + d/2 + 1/2) * (1/d)).  With n and d whole and n below 2^51 the half added
   can not reach the next whole number, and it outweighs the error of the reciprocal.  */

#include <stdint.h>

#define COLUMNS                                                                                                           \
    const int8_t *restrict area, const int8_t *restrict band, const uint8_t *restrict adapted,                            \
    const int8_t *restrict occupation, const int8_t *restrict counted, const int8_t *restrict years_empty,                \
    const uint8_t *restrict spared, const uint8_t *restrict not_charged, const uint8_t *restrict attached,                 \
    const int16_t *restrict days, const int32_t *restrict reduction, const int32_t *restrict discretionary,               \
    const int32_t *restrict credit, int32_t *restrict charge, int32_t *restrict bill, int32_t *restrict to_pay
#define GIVEN p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15]

/* amounts: 64 x 9 pence, reduced band A first; figures: one adult, none, second home, annexe in per cent, days in the year;
   ladder: four pairs of full years and 100 with the premium in per cent from there on, the first from 0 */
static __attribute__((noinline)) void part(int64_t first, int64_t last, COLUMNS, const int32_t *restrict amounts,
                                           const int32_t *restrict figures, const int32_t *restrict ladder) {
    const int32_t one = 100 - figures[0], none = 100 - figures[1], second = 100 + figures[2], half = 100 - figures[3];
    const double below = 10000.0 * figures[4], guard = below / 2 + 0.5, by = 1.0 / below;
    const int32_t step0 = ladder[1], from1 = ladder[2], step1 = ladder[3], from2 = ladder[4], step2 = ladder[5];
    const int32_t from3 = ladder[6], step3 = ladder[7];
    for (int64_t i = first; i < last; i++) {
        int32_t amount = amounts[area[i] * 9 + band[i] + 1 - adapted[i]];
        int32_t years = years_empty[i];
        int32_t over = years >= from1 ? step1 : step0;
        over = years >= from2 ? step2 : over;
        over = years >= from3 ? step3 : over;
        int32_t adults = counted[i], use = occupation[i], plain = spared[i], half_of = attached[i], nothing = not_charged[i];
        int32_t home = adults == 0 ? none : 100;
        home = adults == 1 ? one : home;
        int32_t away = use == 1 ? second : over;
        away = plain ? 100 : away;
        int32_t share = use == 0 ? home : away;
        share *= half_of ? half : 100;
        share = nothing ? 0 : share;
        /* share * days is below 400 * 100 * 366, far inside 32 bits */
        int32_t charged = (int32_t)(((double)amount * (double)(share * days[i]) + guard) * by);
        int32_t owed = charged - reduction[i] - discretionary[i];
        owed = owed > 0 ? owed : 0;
        int32_t left = owed - credit[i];
        charge[i] = charged;
        bill[i] = owed;
        to_pay[i] = left > 0 ? left : 0;
    }
}

void work_out(int64_t first, int64_t last, void *const *p, const int32_t *amounts, const int32_t *figures, const int32_t *ladder) {
    part(first, last, GIVEN, amounts, figures, ladder);
}

/* Reads every column and writes every result with next to no arithmetic: the least that any engine must do. */
static __attribute__((noinline)) void touch_part(int64_t first, int64_t last, COLUMNS) {
    for (int64_t i = first; i < last; i++) {
        int32_t sum = area[i] + band[i] + adapted[i] + occupation[i] + counted[i] + years_empty[i] + spared[i] + not_charged[i] + attached[i] + days[i];
        charge[i] = sum + reduction[i];
        bill[i] = sum - discretionary[i];
        to_pay[i] = sum + credit[i];
    }
}

void touch(int64_t first, int64_t last, void *const *p) {
    touch_part(first, last, GIVEN);
}

void triad(int64_t first, int64_t last, double *restrict a, const double *restrict b, const double *restrict c) {
    for (int64_t i = first; i < last; i++) a[i] = b[i] + 3.0 * c[i];
}
