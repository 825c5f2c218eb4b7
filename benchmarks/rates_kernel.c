/* Business rates of 2025-26 by hand: the opponent of the work `rates`.

   It holds the rules of that year that the work's lines need, all of them, and notes what they refuse.  What an officer may change is read from
   `figures`.  One straight loop over the periods of a block of ratepayers, without branches and in doubles that hold whole numbers: thousandths of a
   penny, and ten-thousandths for the limits of transition.  Quotients that a double cannot hold exactly are put right by their remainder in 64 bits.
   Values of more than £10,000,000 and caps of parts of a per cent are not for this function, which is in its favour.

   Rounding: floor((2n + d) / 2d), with one correctly rounded division, is exact while the quotient is below 2^53 / 2d. */

#include <stdint.h>
#include <stdlib.h>

enum { SMALL, STANDARD, SMALL_LIMIT, EMPTY_FROM, CHARITY, FULL_TO, TAPER_TO, DIVIDED, SUBTRACTED, FULL_DIVISOR, DISREGARDED, TOGETHER, TOGETHER_LONDON,
       SIZE_SMALL, SIZE_SMALL_LONDON, SIZE_MEDIUM, FILM, STEPS, SHARE, CAP, YEAR, FIRST, GRACE_BEGINS, LONGER_FROM, RESET, RESET_LATER, RESET_FROM, Q,
       CAPS = Q + 3, LIMITS = CAPS + 9, RELIEVED = LIMITS + 6, FIGURES = RELIEVED + 15 };
enum { BLOCK = 256, EARLIEST = 3652, DAYS = 47847 - 3652 };
enum { FILM_STUDIO = 8, HEAT_NETWORK = 9, LAVATORY = 10, SCHOOL = 14 };

static inline double floored(double x) { return __builtin_floor(x); }
static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }

/* a * b / c to the nearest whole number, half up, for whole a, b and c whose product may be beyond a double */
static inline double proportion(double a, double b, double c) {
    int64_t q = (int64_t)(a * b / c), d = (int64_t)c, r = (int64_t)((uint64_t)(int64_t)a * (uint64_t)(int64_t)b - (uint64_t)q * (uint64_t)d);
    return (double)(q + (2 * r >= d) - (2 * r < -d));
}

/* a times thousandths that are near 1000, to the nearest whole number */
static inline double inflated(double a, double thousandths) { return a + floored((2 * a * (thousandths - 1000) + 1000.5) / 2000); }

#define COLUMNS(X) \
    X(int64_t, rateable) X(uint8_t, use) X(uint8_t, london) X(uint8_t, london_given) X(uint8_t, industrial) X(uint8_t, industrial_given) X(uint8_t, rural) \
    X(uint8_t, rural_given) X(int64_t, improvement) X(uint8_t, improvement_given) X(int64_t, value_before) X(uint8_t, before_given) \
    X(int64_t, at_start) X(uint8_t, start_given) X(uint8_t, state) X(int32_t, empty_since) X(uint8_t, empty_given) X(int32_t, empty_before) \
    X(uint8_t, empty_before_given) X(int32_t, short_from) X(uint8_t, short_from_given) X(int32_t, short_to) X(uint8_t, short_to_given) \
    X(uint8_t, exemption) X(uint8_t, exemption_given) X(uint8_t, kind) X(uint8_t, kind_given) X(int64_t, occupied_value) X(uint8_t, occupied_given) \
    X(int64_t, of_works) X(uint8_t, of_works_given) X(int32_t, part_since) X(uint8_t, part_given) X(uint8_t, claimed) X(uint8_t, claimed_given) \
    X(int32_t, others) X(uint8_t, others_given) X(int64_t, greatest) X(uint8_t, greatest_given) X(int64_t, together) X(uint8_t, together_given) \
    X(int32_t, taken_on) X(uint8_t, taken_given) X(int64_t, taken_value) X(uint8_t, taken_value_given) X(int64_t, next) X(uint8_t, next_given) \
    X(uint8_t, supported) X(uint8_t, supported_given) X(int64_t, base) X(uint8_t, base_given) X(double, allowed) X(uint8_t, allowed_given) \
    X(uint8_t, refused) X(uint8_t, refused_given) X(int32_t, top_up) X(uint8_t, top_up_given) X(int32_t, discretionary) X(uint8_t, discretionary_given) \
    X(int32_t, first_day) X(int16_t, days)

enum place {
#define X(type, name) AT_##name,
    COLUMNS(X)
#undef X
    AT_account
};

/* the amounts of some periods after each step, relief for retail before the cap, and whether a fact is missing */
static __attribute__((noinline)) void periods(int64_t first, int64_t count, void *const *p, const int64_t *restrict starts, const double *restrict figures,
                                              const int32_t *restrict after, double *restrict value, double *restrict full, double *restrict gross,
                                              double *restrict with_transition, double *restrict apportioned, double *restrict after_mandatory,
                                              double *restrict after_support, double *restrict top_up_relief, double *restrict after_funded,
                                              double *restrict for_retail, double *restrict retail, double *restrict begun, uint8_t *restrict missing) {
#define X(type, name) const type *restrict name = (const type *)p[AT_##name] + first;
    COLUMNS(X)
#undef X
    const int32_t *restrict account = (const int32_t *)p[AT_account] + first;
    const double small = figures[SMALL], standard = figures[STANDARD], year = figures[YEAR], twice = 2 * year;
    const double *caps = figures + CAPS, *limits = figures + LIMITS, *relieved = figures + RELIEVED, *q = figures + Q;
    const double charity_divisor = figures[CHARITY], disregarded = figures[DISREGARDED], taper_divided = figures[DIVIDED], empty_from = figures[EMPTY_FROM], full_divisor = figures[FULL_DIVISOR], full_to = figures[FULL_TO], size_medium = figures[SIZE_MEDIUM], size_small = figures[SIZE_SMALL], size_small_london = figures[SIZE_SMALL_LONDON], small_limit = figures[SMALL_LIMIT], steps = figures[STEPS], subtracted = figures[SUBTRACTED], taper_to = figures[TAPER_TO], together_limit = figures[TOGETHER], together_london = figures[TOGETHER_LONDON], film_share = figures[FILM];
    const int32_t year_start = figures[FIRST], grace_begins = figures[GRACE_BEGINS], longer_from = figures[LONGER_FROM], reset = figures[RESET], reset_later = figures[RESET_LATER], reset_from = figures[RESET_FROM];
    for (int64_t i = 0; i < count; i++) { /* the value that is charged */
        int exempt = exemption_given[i] & (exemption[i] != 0), occupied = state[i] == 0, improved = improvement_given[i] & occupied;
        int slow = (industrial_given[i] & industrial[i]) * DAYS, apart = occupied & occupied_given[i];
        double v = rateable[i], works = improved ? (double)improvement[i] : 0, of_part = occupied_value[i];
        int free_of_charge = exempt | (v < empty_from), free = first_day[i] < after[slow + (part_given[i] ? part_since[i] : EARLIEST) - EARLIEST];
        missing[i] = apart & ((of_part > v) | (improved & !of_works_given[i]) | (!free_of_charge & !part_given[i]));
        v = improved ? most(v - works, 0) : v;
        of_part = most(of_part - (improved & of_works_given[i] ? (double)of_works[i] : 0), 0);
        value[i] = (apart & (free_of_charge | free)) ? -1 - of_part : v; /* below nothing where an apportionment has effect */
    }
    for (int64_t i = 0; i < count; i++) {
        double v = value[starts[account[i]] - first];
        begun[i] = v < 0 ? -1 - v : v;
    }
    for (int64_t i = 0; i < count; i++) {
        double listed = rateable[i], length = days[i];
        int in_london = london_given[i] & london[i], occupied = state[i] == 0, exempt = exemption_given[i] & (exemption[i] != 0), part = value[i] < 0;
        double v = occupied & improvement_given[i] ? most(listed - (double)improvement[i], 0) : listed, charged = part ? -1 - value[i] : v;
        int who = kind_given[i] * kind[i], charitable = (who == 1) | (who == 2), now = first_day[i], lost = missing[i];

        int slow = (industrial_given[i] & industrial[i]) * DAYS, whole_spell = short_from_given[i] & short_to_given[i];
        int too_short = empty_before_given[i] & whole_spell & (short_to[i] - short_from[i] + 1 < (short_from[i] >= reset_from ? reset_later : reset));
        int since = empty_given[i] ? empty_since[i] : EARLIEST, counted = too_short ? empty_before[i] : since;
        int counts = !occupied & !exempt & (listed >= empty_from), over = now >= after[slow + counted - EARLIEST];
        lost |= !occupied & exemption_given[i] & (exemption[i] == 12) & !charitable;
        lost |= counts & (!empty_given[i] | (now < since) | (empty_before_given[i] & !whole_spell));
        int due = occupied | (counts & over);

        int several = others_given[i] ? others[i] : 0, later = (several > 0) & taken_given[i], taken = later ? taken_on[i] : year_start;
        int ends = after[(taken < longer_from ? 2 : 3) * DAYS + taken - EARLIEST], counts_from = taken > grace_begins ? taken : grace_begins;
        int grace = later & ((now < taken) | ((now >= counts_from) & (now < ends)));
        int others_left = several - grace, asked = occupied & claimed_given[i] & claimed[i];
        double of_taken = taken_value_given[i] ? (double)taken_value[i] : 0, most_of_others = greatest_given[i] ? (double)greatest[i] : 0;
        double left_value = most((together_given[i] ? (double)together[i] : 0) - (grace ? of_taken : 0), 0);
        int hides = grace & (of_taken >= most_of_others);
        double left_greatest = hides ? (next_given[i] ? (double)next[i] : left_value) : most_of_others;
        double allowed_together = in_london ? together_london : together_limit;
        int small_ones = (left_greatest <= disregarded) & (charged + left_value <= allowed_together);
        lost |= asked & (others_left != 0) & (!greatest_given[i] | !together_given[i] | (grace & !taken_value_given[i]) | (hides & !next_given[i] & (left_value > disregarded)));
        int taper = asked & ((others_left == 0) | small_ones) & (charged <= taper_to);
        int charity = occupied & charitable & (use[i] != SCHOOL);
        int village = rural_given[i] & (begun[i] <= limits[rural[i]]);
        int nothing = occupied & ((use[i] == HEAT_NETWORK) | (use[i] == LAVATORY) | village);
        charity &= nothing == 0;
        taper &= (nothing | charity) == 0;

        double rate = charged <= small_limit ? small : standard, whole = floored((200 * v * rate * length + year) / twice), charge = due ? whole : 0;
        int listed_before = before_given[i] & start_given[i];
        lost |= before_given[i] & !start_given[i];
        double before = listed_before ? (double)value_before[i] : 0, start = listed_before ? (double)at_start[i] : 0;
        double upper = most(before, start) * 1000000, medium = in_london ? size_small_london : size_small;
        double first_cap = start > medium ? caps[3] : caps[0], second_cap = start > medium ? caps[4] : caps[1], third_cap = start > medium ? caps[5] : caps[2];
        first_cap = start > size_medium ? caps[6] : first_cap;
        second_cap = start > size_medium ? caps[7] : second_cap;
        third_cap = start > size_medium ? caps[8] : third_cap;
        double one = least(upper, inflated(floored((2 * before * small * 1000 * first_cap + 100.5) / 200), q[0]));
        double two = least(upper, inflated(floored((2 * one * second_cap + 100.5) / 200), q[1]));
        double three = least(upper, inflated(floored((2 * two * third_cap + 100.5) / 200), q[2]));
        int limited = due & (start * small * 1000 > most(two, three)) & (nothing == 0);
        double fallen = proportion(three, v, most(start, 1) * 100) * 100, limit = v < start ? fallen : three + (v - start) * small * 1000;
        double of_limit = floored((2 * (limit + v * (rate - small) * 1000) * length + 10 * year + 0.5) / (20 * year));
        double transition = limited ? of_limit : charge;
        double left = part ? proportion(transition, charged, most(v, 1) * 10) * 10 : transition;

        double above = most(charged - subtracted, 1);
        double divisor = __builtin_ceil((2000 * taper_divided - above) / (2 * above));
        divisor = charged <= full_to ? full_divisor : divisor;
        divisor = charity ? charity_divisor : divisor;
        double divided = floored((2000 * left + divisor) / (2 * divisor));
        double mandatory = nothing ? 0 : ((charity | taper) ? divided : left);

        int helped = occupied & supported_given[i] & (supported[i] == 2) & (who == 0);
        double for_year = allowed_given[i] ? allowed[i] : (base_given[i] ? (double)base[i] : 0) + steps;
        lost |= helped & !allowed_given[i] & (!base_given[i] | (start_given[i] & (at_start[i] != rateable[i])));
        double support = floored((2 * (mandatory * year - for_year * 1000 * length) + year) / twice);
        double rest = mandatory - (helped ? most(support, 0) : 0);

        int own = due & (who != 3);
        double topped = own & top_up_given[i] ? floored((2 * rest * top_up[i] + 10000.5) / 20000) : 0, room = rest - topped;
        double film = most(floored((2 * (charge * film_share - 100 * most(charge - transition, 0)) + 100.5) / 200), 0);
        film = part ? proportion(film, charged, most(v, 1) * 10) * 10 : film;
        film = own & (use[i] == FILM_STUDIO) ? least(film, room) : 0;
        int shop = occupied & own & ((refused_given[i] & refused[i]) == 0);
        full[i] = whole;
        gross[i] = charge;
        with_transition[i] = transition;
        apportioned[i] = left;
        after_mandatory[i] = mandatory;
        after_support[i] = rest;
        top_up_relief[i] = topped;
        after_funded[i] = rest - film;
        for_retail[i] = room - film;
        retail[i] = shop ? floored((2 * relieved[use[i]] * (room - film) + 100.5) / 200) : 0;
        value[i] = own & discretionary_given[i] ? (double)discretionary[i] : 0; /* from here on the share of the council's own relief */
        missing[i] = lost;
    }
}

/* pence of whole amounts of which a thousand make a penny */
static inline double pence(double amount) { return floored((2 * amount + 1000.5) / 2000); }

enum { OF_VALUE, OF_FULL, OF_GROSS, OF_TRANSITION, OF_APPORTIONED, OF_MANDATORY, OF_SUPPORT, OF_TOP_UP, OF_FUNDED, OF_ROOM, OF_RETAIL, OF_BEGUN, COLUMNS_OF };

static __attribute__((noinline)) void lines(int64_t first, int64_t count, double *const *of, int64_t *const *out) {
    const double *restrict full = of[OF_FULL], *restrict gross = of[OF_GROSS], *restrict transition = of[OF_TRANSITION], *restrict apportioned = of[OF_APPORTIONED];
    const double *restrict mandatory = of[OF_MANDATORY], *restrict support = of[OF_SUPPORT], *restrict funded = of[OF_FUNDED], *restrict retail = of[OF_RETAIL];
    const double *restrict discretionary = of[OF_ROOM], *restrict owed = of[OF_VALUE];
    int64_t *restrict o0 = out[0] + first, *restrict o1 = out[1] + first, *restrict o2 = out[2] + first, *restrict o3 = out[3] + first, *restrict o4 = out[4] + first;
    int64_t *restrict o5 = out[5] + first, *restrict o6 = out[6] + first, *restrict o7 = out[7] + first, *restrict o8 = out[8] + first, *restrict o9 = out[9] + first;
    int64_t *restrict o10 = out[10] + first, *restrict o11 = out[11] + first;
    for (int64_t n = 0; n < count; n++) {
        double a = pence(full[n]), b = pence(gross[n]), c = pence(transition[n]), d = pence(apportioned[n]), e = pence(mandatory[n]), f = pence(support[n]);
        double g = pence(funded[n]), h = pence(retail[n]), k = pence(discretionary[n]), l = pence(owed[n]);
        o0[n] = (int64_t)a;
        o1[n] = (int64_t)(a - b);
        o2[n] = (int64_t)most(0, b - c);
        o3[n] = (int64_t)most(0, c - b);
        o4[n] = (int64_t)(c - d);
        o5[n] = (int64_t)(d - e);
        o6[n] = (int64_t)(e - f);
        o7[n] = (int64_t)(f - g);
        o8[n] = (int64_t)(g - h);
        o9[n] = (int64_t)(h - k);
        o10[n] = (int64_t)(k - l);
        o11[n] = (int64_t)l;
    }
}

/* accounts and periods stand in the order of their ratepayers; `whose` and `starts` say where those of each begin; `own` are the columns of accounts */
void work_out_rates(int64_t first, int64_t last, void *const *p, void *const *own, const double *figures, const int32_t *after, const int64_t *whose,
                    const int64_t *starts, int64_t *const *out, uint8_t *restrict missing) {
    int64_t room = 0;
    double *held = 0, *of[COLUMNS_OF];
    uint8_t *lost = 0;
    const double cap = figures[CAP];
    const int64_t *cap_left = own[0], *subsidy_room = own[2];
    const uint8_t *cap_left_given = own[1], *subsidy_given = own[3], *hardship_given = own[5];
    const double *hardship = own[4];
    for (int64_t r = first; r < last; r += BLOCK) {
        int64_t end = r + BLOCK < last ? r + BLOCK : last;
        int64_t a0 = whose[r], a1 = whose[end], p0 = starts[a0], p1 = starts[a1], count = p1 - p0;
        if (count > room) {
            room = (2 * count + 63) & ~63;
            free(held);
            free(lost);
            held = aligned_alloc(64, COLUMNS_OF * room * sizeof(double));
            lost = aligned_alloc(64, room);
            for (int k = 0; k < COLUMNS_OF; k++) of[k] = held + k * room;
        }
        periods(p0, count, p, starts, figures, after, of[OF_VALUE], of[OF_FULL], of[OF_GROSS], of[OF_TRANSITION], of[OF_APPORTIONED], of[OF_MANDATORY],
                of[OF_SUPPORT], of[OF_TOP_UP], of[OF_FUNDED], of[OF_ROOM], of[OF_RETAIL], of[OF_BEGUN], lost);
        double *restrict retail = of[OF_RETAIL], *restrict funded = of[OF_FUNDED], *restrict topped = of[OF_TOP_UP], *restrict left = of[OF_ROOM], *restrict owed = of[OF_VALUE];
        for (int64_t k = r; k < end; k++) {
            int64_t begin = starts[whose[k]] - p0, stop = starts[whose[k + 1]] - p0;
            double used = 0, limit = cap;
            for (int64_t a = whose[k]; a < whose[k + 1]; a++) {
                limit = least(limit, cap_left_given[a] ? (double)cap_left[a] * 1000 : limit);
                limit = least(limit, subsidy_given[a] ? (double)subsidy_room[a] * 1000 : limit);
            }
            for (int64_t n = begin; n < stop; n++) {
                double was = least(used, limit);
                used += retail[n];
                retail[n] = least(used, limit) - was;
            }
        }
        for (int64_t n = 0; n < count; n++) { /* the council's own relief, on what that for retail leaves */
            double after_retail = funded[n] - retail[n], local = floored((2 * (left[n] - retail[n]) * owed[n] + 10000.5) / 20000);
            retail[n] = after_retail;
            left[n] = after_retail - least(after_retail, topped[n] + local);
        }
        for (int64_t a = a0; a < a1; a++) { /* nearly always one period */
            int64_t at = a - a0, n = starts[a] - p0, stop = starts[a + 1] - p0;
            double remitted = hardship_given[a] ? hardship[a] * 1000 : 0, so_far = 0, sum = 0;
            uint8_t any = 0;
            for (int64_t m = n; m < stop; m++) {
                double was = least(so_far, remitted);
                so_far += left[m];
                sum += left[m] - (least(so_far, remitted) - was);
                any |= lost[m];
            }
            owed[at] = sum;
            missing[a] = any;
            if (count > a1 - a0) {
                for (int k = OF_FULL; k <= OF_RETAIL; k++) {
                    double total = of[k][n];
                    for (int64_t m = n + 1; m < stop; m++) total += of[k][m];
                    of[k][at] = total;
                }
            }
        }
        lines(a0, a1 - a0, of, out);
    }
    free(held);
    free(lost);
}
