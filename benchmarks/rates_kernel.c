/* Business rates of 2025-26 by hand: the opponent of the work `rates`.

   It holds the rules for the facts that the work's tables have: the others of the programme (improvement and fibre, grace, awards, hardship, limits on
   subsidies) are left out, which is in its favour.  What an officer may change is read from `figures` all the same.  One straight loop over the periods
   of a block of ratepayers, without branches and in doubles that hold whole numbers: thousandths of a penny once reliefs begin, a hundredth of a
   penny times 365 before.  Quotients that a double cannot hold exactly are put right by their remainder in 64 bits.  Values of more than £10,000,000
   are not for this function.

   Rounding: floor((2n + d) / 2d), with one correctly rounded division, is exact while the quotient is below 2^53 / 2d. */

#include <stdint.h>
#include <stdlib.h>

enum { SMALL, STANDARD, SMALL_LIMIT, EMPTY_FROM, CHARITY, FULL_TO, TAPER_TO, DIVIDED, SUBTRACTED, FULL_DIVISOR, DISREGARDED, TOGETHER, TOGETHER_LONDON,
       SIZE_SMALL, SIZE_SMALL_LONDON, SIZE_MEDIUM, STEPS, SHARE, CAP, YEAR, CAPS, LIMITS = CAPS + 9, RELIEVED = LIMITS + 6, FIGURES = RELIEVED + 15 };
enum { BLOCK = 256, EARLIEST = 3652, DAYS = 47847 - 3652 };

static inline double floored(double x) { return __builtin_floor(x); }
static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }

/* a * b / c to the nearest whole number, half up, for whole a, b and c whose product may be beyond a double */
static inline double proportion(double a, double b, double c) {
    int64_t q = (int64_t)(a * b / c), d = (int64_t)c, r = (int64_t)((uint64_t)(int64_t)a * (uint64_t)(int64_t)b - (uint64_t)q * (uint64_t)d);
    return (double)(q + (2 * r >= d) - (2 * r < -d));
}

/* the amounts of some periods; `left`: seven of them for each, in rows of `room` */
static __attribute__((noinline)) void periods(
    int64_t first, int64_t count, const int64_t *restrict rateable, const uint8_t *restrict use, const uint8_t *restrict london,
    const uint8_t *restrict london_given, const uint8_t *restrict industrial, const uint8_t *restrict industrial_given, const uint8_t *restrict rural,
    const uint8_t *restrict rural_given, const int64_t *restrict value_before, const uint8_t *restrict before_given, const int64_t *restrict at_start,
    const uint8_t *restrict state, const int32_t *restrict empty_since, const uint8_t *restrict exemption, const uint8_t *restrict exemption_given,
    const uint8_t *restrict kind, const uint8_t *restrict kind_given, const int64_t *restrict occupied_value, const uint8_t *restrict occupied_given,
    const int32_t *restrict part_since, const uint8_t *restrict claimed, const uint8_t *restrict claimed_given, const int32_t *restrict others,
    const uint8_t *restrict others_given, const int64_t *restrict greatest, const int64_t *restrict together, const uint8_t *restrict supported,
    const uint8_t *restrict supported_given, const int64_t *restrict base, const uint8_t *restrict refused, const uint8_t *restrict refused_given,
    const int32_t *restrict first_day, const int16_t *restrict days, const int32_t *restrict account, const int64_t *restrict starts,
    const double *restrict figures, const int32_t *restrict after, double *restrict value, double *restrict begun, double *restrict full, double *restrict gross,
    double *restrict with_transition, double *restrict apportioned, double *restrict after_mandatory, double *restrict after_support,
    double *restrict retail) {
    const double small = figures[SMALL], standard = figures[STANDARD], year = figures[YEAR], twice = 2 * year;
    const double *caps = figures + CAPS, *limits = figures + LIMITS, *relieved = figures + RELIEVED;
    for (int64_t n = 0; n < count; n++) {
        int64_t i = first + n;
        int exempt = exemption_given[i] & (exemption[i] != 0), occupied = state[i] == 0;
        int slow = (industrial_given[i] & industrial[i]) * DAYS;
        int free = first_day[i] < after[slow + part_since[i] - EARLIEST];
        double v = rateable[i], of_part = occupied_value[i];
        value[n] = (occupied & occupied_given[i] & (exempt | (v < figures[EMPTY_FROM]) | free)) ? of_part : v;
    }
    for (int64_t n = 0; n < count; n++) begun[n] = value[starts[account[first + n]] - first];
    const double charity_divisor = figures[CHARITY], disregarded = figures[DISREGARDED], taper_divided = figures[DIVIDED], empty_from = figures[EMPTY_FROM], full_divisor = figures[FULL_DIVISOR], full_to = figures[FULL_TO], size_medium = figures[SIZE_MEDIUM], size_small = figures[SIZE_SMALL], size_small_london = figures[SIZE_SMALL_LONDON], small_limit = figures[SMALL_LIMIT], steps = figures[STEPS], subtracted = figures[SUBTRACTED], taper_to = figures[TAPER_TO], together_limit = figures[TOGETHER], together_london = figures[TOGETHER_LONDON];
    for (int64_t n = 0; n < count; n++) {
        int64_t i = first + n;
        double v = rateable[i], charged = value[n], length = days[i];
        int in_london = london_given[i] & london[i], occupied = state[i] == 0, exempt = exemption_given[i] & (exemption[i] != 0);
        int slow = (industrial_given[i] & industrial[i]) * DAYS;
        int over = first_day[i] >= after[slow + empty_since[i] - EARLIEST], free = first_day[i] < after[slow + part_since[i] - EARLIEST];
        int part = occupied & occupied_given[i] & (exempt | (v < empty_from) | free);
        int due = occupied | ((exempt == 0) & (v >= empty_from) & over);
        int who = kind_given[i] * kind[i];

        double total = charged + (double)together[i], allowed = in_london ? together_london : together_limit;
        int alone = (others_given[i] == 0) | (others[i] == 0) | (((double)greatest[i] <= disregarded) & (total <= allowed));
        int taper = occupied & claimed_given[i] & claimed[i] & alone & (charged <= taper_to);
        int charity = occupied & ((who == 1) | (who == 2)) & (use[i] != 14);
        int village = rural_given[i] & (begun[n] <= limits[rural[i]]);
        int nothing = occupied & ((use[i] == 9) | (use[i] == 10) | village);
        charity &= nothing == 0;
        taper &= (nothing | charity) == 0;

        double rate = charged <= small_limit ? small : standard, whole = v * rate * length, due_whole = due ? whole : 0;
        double known = before_given[i], before = known * (double)value_before[i], start = known * (double)at_start[i];
        double upper = most(before, start) * 10000;
        double medium = in_london ? size_small_london : size_small;
        double first_cap = start > medium ? caps[3] : caps[0], second_cap = start > medium ? caps[4] : caps[1], third_cap = start > medium ? caps[5] : caps[2];
        first_cap = start > size_medium ? caps[6] : first_cap;
        second_cap = start > size_medium ? caps[7] : second_cap;
        third_cap = start > size_medium ? caps[8] : third_cap;
        double one = least(upper, floored((before * small * first_cap + 5.5) * 0.1));
        double two = least(upper, floored((one * second_cap + 50.5) * 0.01));
        double three = least(upper, floored((two * third_cap + 50.5) * 0.01));
        int limited = due & (start * small * 10 > most(two, three)) & (nothing == 0);
        double limit = proportion(three, least(v, start), most(start, 1)) + most(0, v - start) * small * 10;
        double transition = limited ? limit * length + v * (rate - small) * 10 * length : due_whole * 10;
        double of_part = proportion(transition, charged, most(v, 1) * year) * 10;
        double left = part ? of_part : floored((20 * transition + year) / twice);

        double above = most(charged - subtracted, 1);
        double divisor = __builtin_ceil((2000 * taper_divided - above) / (2 * above));
        divisor = charged <= full_to ? full_divisor : divisor;
        divisor = charity ? charity_divisor : divisor;
        double divided = floored((2000 * left + divisor) / (2 * divisor));
        double mandatory = nothing ? 0 : ((charity | taper) ? divided : left);

        int helped = occupied & supported_given[i] & (supported[i] == 2) & (who == 0);
        double support = floored((2 * (mandatory * year - ((double)base[i] + steps) * 1000 * length) + year) / twice);
        support = helped ? most(support, 0) : 0;
        double rest = mandatory - support;
        double relief = relieved[use[i]];
        int shop = occupied & due & (who != 3) & ((refused_given[i] & refused[i]) == 0) ;
        full[n] = whole;
        gross[n] = due_whole;
        with_transition[n] = transition;
        apportioned[n] = left;
        after_mandatory[n] = mandatory;
        after_support[n] = rest;
        retail[n] = shop ? floored((2 * relief * rest + 100.5) / 200) : 0;
    }
}

/* pence of whole amounts of which `whole` make a penny */
static inline double pence(double amount, double whole) { return floored((2 * amount + whole + 0.5) / (2 * whole)); }

static __attribute__((noinline)) void lines(int64_t first, int64_t count, double year, const double *restrict full, const double *restrict gross,
                                            const double *restrict with_transition, const double *restrict apportioned,
                                            const double *restrict after_mandatory, const double *restrict after_support, const double *restrict retail,
                                            int64_t *restrict o0, int64_t *restrict o1, int64_t *restrict o2, int64_t *restrict o3, int64_t *restrict o4,
                                            int64_t *restrict o5, int64_t *restrict o6, int64_t *restrict o7, int64_t *restrict o8) {
    for (int64_t n = 0; n < count; n++) {
        double a = pence(full[n], 10 * year), b = pence(gross[n], 10 * year), c = pence(with_transition[n], 100 * year);
        double d = pence(apportioned[n], 1000), e = pence(after_mandatory[n], 1000), f = pence(after_support[n], 1000);
        double g = pence(after_support[n] - retail[n], 1000);
        int64_t i = first + n;
        o0[i] = (int64_t)a;
        o1[i] = (int64_t)(a - b);
        o2[i] = (int64_t)most(0, b - c);
        o3[i] = (int64_t)most(0, c - b);
        o4[i] = (int64_t)(c - d);
        o5[i] = (int64_t)(d - e);
        o6[i] = (int64_t)(e - f);
        o7[i] = (int64_t)(f - g);
        o8[i] = (int64_t)g;
    }
}

/* accounts and periods stand in the order of their ratepayers; `whose` and `starts` say where those of each begin */
void work_out_rates(int64_t first, int64_t last, void *const *p, const double *figures, const int32_t *after, const int64_t *whose, const int64_t *starts,
                    int64_t *const *out) {
    int64_t room = 0;
    double *held = 0, *of[9];
    const double cap = figures[CAP];
    for (int64_t r = first; r < last; r += BLOCK) {
        int64_t end = r + BLOCK < last ? r + BLOCK : last;
        int64_t a0 = whose[r], a1 = whose[end], p0 = starts[a0], p1 = starts[a1], count = p1 - p0;
        if (count > room) {
            room = 2 * count;
            free(held);
            held = aligned_alloc(64, 9 * room * sizeof(double));
            for (int k = 0; k < 9; k++) of[k] = held + k * room;
        }
        periods(p0, count, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15], p[16], p[17], p[18], p[19],
                p[20], p[21], p[22], p[23], p[24], p[25], p[26], p[27], p[28], p[29], p[30], p[31], p[32], p[33], starts, figures, after, of[0], of[8], of[1], of[2],
                of[3], of[4], of[5], of[6], of[7]);
        double *restrict retail = of[7];
        for (int64_t k = r; k < end; k++) {
            int64_t begin = starts[whose[k]] - p0, stop = starts[whose[k + 1]] - p0;
            double used = 0;
            for (int64_t n = begin; n < stop; n++) {
                double was = least(used, cap);
                used += retail[n];
                retail[n] = least(used, cap) - was;
            }
        }
        if (count > a1 - a0) {
            double *f = of[1], *g = of[2], *c = of[3], *d = of[4], *e = of[5], *h = of[6];
            for (int64_t a = a0; a < a1; a++) { /* nearly always one period */
                int64_t at = a - a0, n = starts[a] - p0, stop = starts[a + 1] - p0;
                f[at] = f[n], g[at] = g[n], c[at] = c[n], d[at] = d[n], e[at] = e[n], h[at] = h[n], retail[at] = retail[n];
                while (++n < stop) f[at] += f[n], g[at] += g[n], c[at] += c[n], d[at] += d[n], e[at] += e[n], h[at] += h[n], retail[at] += retail[n];
            }
        }
        lines(a0, a1 - a0, figures[YEAR], of[1], of[2], of[3], of[4], of[5], of[6], of[7], out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7], out[8]);
    }
    free(held);
}
