/* The bill and the reduction of work/bill by hand: the opponent that the compiled rules are measured against.

   Built when the race starts, see benchmarks/native.py.  Everything that helps a C compiler is given to it: one straight loop, `restrict`, no branches,
   32-bit whole numbers where they suffice and whole numbers held in double where products are rounded, one multiplication in place of each division, a table
   whose columns stand so that the reduced band needs no second look-up, and masks in place of the small table.  What an officer may change (amounts, discounts,
   premiums, the taper) is read from arrays, as it is for the rules.

   Rounding: floor((2n + d) / 2d) is worked out as floor((n + d/2 + 1/2) * (1/d)).  With n and d whole and n below 2^51 the half added
   can not reach the next whole number, and it outweighs the error of the reciprocal.  n is never below 0 here, so that floor is what the conversion does. */

#include <stdint.h>

#define COLUMNS                                                                                                           \
    const int8_t *restrict area, const int8_t *restrict band, const uint8_t *restrict adapted,                            \
    const int8_t *restrict adults, const int8_t *restrict not_counting, const int32_t *restrict income,                     \
    const int32_t *restrict capital, const uint8_t *restrict couple, const int8_t *restrict children,                     \
    const int8_t *restrict severe, const int8_t *restrict carers, const int8_t *restrict first_other,                      \
    const int8_t *restrict second_other, const uint8_t *restrict passported, const int16_t *restrict days,                 \
    int32_t *restrict charge, int32_t *restrict reduction, int32_t *restrict to_pay
#define GIVEN p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15], p[16], p[17]

enum { ONE, NONE, DAYS, IGNORED, STEP, FOR_STEP, LIMIT, SINGLE, COUPLE, CHILD, SEVERE, CARER, TAPER };

/* amounts: 64 x 9 pence, reduced band A first; deductions: 6 of pence a week; figures: what is left of 100 where one adult or nobody counts,
   days in the year, and the rest in pence, the taper in per cent */
static __attribute__((noinline)) void part(int64_t first, int64_t last, COLUMNS, const int32_t *restrict amounts,
                                           const int32_t *restrict deductions, const int32_t *restrict figures) {
    const int32_t one = figures[ONE], none = figures[NONE], ignored = figures[IGNORED], for_step = figures[FOR_STEP], limit = figures[LIMIT];
    const int32_t single = figures[SINGLE], pair = figures[COUPLE], child = figures[CHILD], premium = figures[SEVERE], carer = figures[CARER], taper = figures[TAPER];
    const double year = 100.0 * figures[DAYS], half = year / 2 + 0.5, by = 1.0 / year;
    const double half_week = 7 * year / 2 + 0.5, by_week = 1.0 / (7 * year);
    const double up = figures[STEP] - 0.5, by_step = 1.0 / figures[STEP], length_of_year = figures[DAYS];
    int32_t more[6]; /* than the first, over 100 */
    for (int k = 0; k < 6; k++) more[k] = 100 * (deductions[k] - deductions[0]);
    const int32_t least = 200 * deductions[0], more1 = more[1], more2 = more[2], more3 = more[3], more4 = more[4], more5 = more[5];
    for (int64_t i = first; i < last; i++) {
        int32_t counted = adults[i] - not_counting[i];
        int32_t share = counted == 1 ? one : 100;
        share = counted <= 0 ? none : share;
        double annual = amounts[area[i] * 9 + band[i] + 1 - adapted[i]] * share; /* below 20,000,00 * 100 */
        double length = days[i];
        int32_t charged = (int32_t)((annual * length + half) * by);

        int32_t has = capital[i], over = has - ignored, freed = passported[i];
        over = over > 0 ? over : 0;
        int32_t assumed = (int32_t)(((double)over + up) * by_step) * for_step;
        int32_t needs = (couple[i] ? pair : single) + children[i] * child + severe[i] * premium + carers[i] * carer;
        int32_t excess = income[i] + assumed - needs;
        excess = excess > 0 ? excess : 0;
        excess = freed ? 0 : excess;
        int32_t one_of = first_other[i], other_of = second_other[i];
        int32_t taken = least + (-(one_of == 1) & more1) + (-(one_of == 2) & more2) + (-(one_of == 3) & more3) + (-(one_of == 4) & more4)
            + (-(one_of == 5) & more5) + (-(other_of == 1) & more1) + (-(other_of == 2) & more2) + (-(other_of == 3) & more3)
            + (-(other_of == 4) & more4) + (-(other_of == 5) & more5);
        taken += excess * taper; /* below 24,000,00 * 100, whatever the taper */
        double week = annual * 7.0 - (double)taken * length_of_year;
        week = week > 0.0 ? week : 0.0;
        int32_t rich = (has > limit) & (freed == 0);
        int32_t reduced = (int32_t)((week * length + half_week) * by_week);
        reduced = rich ? 0 : reduced;
        reduced = reduced < charged ? reduced : charged;
        charge[i] = charged;
        reduction[i] = reduced;
        to_pay[i] = charged - reduced;
    }
}

void work_out(int64_t first, int64_t last, void *const *p, const int32_t *amounts, const int32_t *deductions, const int32_t *figures) {
    part(first, last, GIVEN, amounts, deductions, figures);
}

void triad(int64_t first, int64_t last, double *restrict a, const double *restrict b, const double *restrict c) {
    for (int64_t i = first; i < last; i++) a[i] = b[i] + 3.0 * c[i];
}
