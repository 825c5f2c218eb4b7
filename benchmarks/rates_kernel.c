/* Business rates of 2025-26 by hand: the opponent of the work `rates`.

   It holds the rules of that year that the work's lines need, all of them, and notes what they refuse.  What an officer may change is read from
   `figures`.  One straight loop over the periods of a block of ratepayers, without branches and in doubles of ten-thousandths of a penny, of which
   nothing is rounded before the pence.  What a double loses is less than a sum may be off a half penny and still be that half penny, as in the rules;
   that no figure is proved is in its favour, as are values of no more than £4,000,000 and caps of whole per cents. */

#include <stdint.h>
#include <stdlib.h>

enum { SMALL, STANDARD, SMALL_LIMIT, EMPTY_FROM, CHARITY, FULL_TO, TAPER_TO, DIVIDED, SUBTRACTED, FULL_DIVISOR, DISREGARDED, TOGETHER, TOGETHER_LONDON,
       SIZE_SMALL, SIZE_SMALL_LONDON, SIZE_MEDIUM, FILM, STEPS, SHARE, CAP, YEAR, FIRST, GRACE_BEGINS, LONGER_FROM, RESET, RESET_LATER, RESET_FROM, Q,
       CAPS = Q + 3, LIMITS = CAPS + 9, RELIEVED = LIMITS + 6, FIGURES = RELIEVED + 15 };
enum { BLOCK = 256, EARLIEST = 3652, DAYS = 47847 - 3652 };
enum { FILM_STUDIO = 8, HEAT_NETWORK = 9, LAVATORY = 10, SCHOOL = 14 };

static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }

/* a share, in hundredths of a per cent */
static inline double shared(double a, double share) { return a * share / 10000; }

#define COLUMNS(X) \
    X(int64_t, rateable) X(uint8_t, use) X(uint8_t, london) X(uint8_t, london_given) X(uint8_t, industrial) X(uint8_t, industrial_given) X(uint8_t, rural) \
    X(uint8_t, rural_given) X(int64_t, improvement) X(uint8_t, improvement_given) X(int64_t, value_before) X(uint8_t, before_given) \
    X(int64_t, at_start) X(uint8_t, start_given) X(uint8_t, state) X(int32_t, empty_since) X(uint8_t, empty_given) X(int32_t, empty_before) \
    X(uint8_t, empty_before_given) X(int32_t, short_from) X(uint8_t, short_from_given) X(int32_t, short_to) X(uint8_t, short_to_given) \
    X(uint8_t, exemption) X(uint8_t, exemption_given) X(uint8_t, kind) X(uint8_t, kind_given) X(int64_t, occupied_value) X(uint8_t, occupied_given) \
    X(int64_t, of_works) X(uint8_t, of_works_given) X(int32_t, part_since) X(uint8_t, part_given) X(uint8_t, claimed) X(uint8_t, claimed_given) \
    X(int32_t, others) X(uint8_t, others_given) X(int64_t, greatest) X(uint8_t, greatest_given) X(int64_t, together) X(uint8_t, together_given) \
    X(int32_t, taken_on) X(uint8_t, taken_given) X(int64_t, taken_value) X(uint8_t, taken_value_given) X(int64_t, next) X(uint8_t, next_given) \
    X(uint8_t, supported) X(uint8_t, supported_given) X(int64_t, base) X(uint8_t, base_given) X(int64_t, allowed) X(uint8_t, allowed_given) \
    X(uint8_t, refused) X(uint8_t, refused_given) X(int32_t, top_up) X(uint8_t, top_up_given) X(int32_t, discretionary) X(uint8_t, discretionary_given) \
    X(int32_t, first_day) X(int16_t, days)

enum place {
#define X(type, name) AT_##name,
    COLUMNS(X)
#undef X
    AT_account
};

/* the amounts of some periods after each step, relief for retail before the cap, and whether a fact is missing */
#define X(type, name) const type *restrict name##_at,
static __attribute__((noinline)) void periods(int64_t first, int64_t count, COLUMNS(X) const int32_t *restrict account, const int64_t *restrict starts, const double *restrict figures,
                                              const int32_t *restrict after, double *restrict value, double *restrict full, double *restrict gross,
                                              double *restrict with_transition, double *restrict apportioned, double *restrict after_mandatory,
                                              double *restrict after_support, double *restrict top_up_relief, double *restrict after_funded,
                                              double *restrict for_retail, double *restrict retail, double *restrict begun, double *restrict worth, int32_t *restrict kept, uint8_t *restrict missing) {
#undef X
    const double small = figures[SMALL], standard = figures[STANDARD], year = figures[YEAR];
    const double *caps = figures + CAPS, *limits = figures + LIMITS, *relieved = figures + RELIEVED;
    const double c0 = caps[0], c1 = caps[1], c2 = caps[2], c3 = caps[3], c4 = caps[4], c5 = caps[5], c6 = caps[6], c7 = caps[7], c8 = caps[8];
    const double q0 = figures[Q], q1 = figures[Q + 1], q2 = figures[Q + 2];
    const double charity_divisor = figures[CHARITY], disregarded = figures[DISREGARDED], taper_divided = figures[DIVIDED], empty_from = figures[EMPTY_FROM], full_divisor = figures[FULL_DIVISOR], full_to = figures[FULL_TO], size_medium = figures[SIZE_MEDIUM], size_small = figures[SIZE_SMALL], size_small_london = figures[SIZE_SMALL_LONDON], small_limit = figures[SMALL_LIMIT], steps = figures[STEPS], subtracted = figures[SUBTRACTED], taper_to = figures[TAPER_TO], together_limit = figures[TOGETHER], together_london = figures[TOGETHER_LONDON], film_share = figures[FILM];
    const int32_t year_start = figures[FIRST], grace_begins = figures[GRACE_BEGINS], longer_from = figures[LONGER_FROM], reset = figures[RESET], reset_later = figures[RESET_LATER], reset_from = figures[RESET_FROM];
    for (int64_t i = 0; i < count; i++) { /* the value that is charged */
#define X(type, name) __typeof__(+name##_at[0]) name = name##_at[first + i]; /* a byte as an int */
        COLUMNS(X)
#undef X
        int exempt = exemption_given & (exemption != 0), occupied = state == 0, improved = improvement_given & occupied;
        int slow = (industrial_given & industrial) * DAYS, apart = occupied & occupied_given;
        double v = rateable, works = improved ? (double)improvement : 0, of_part = occupied_value;
        int free_of_charge = exempt | (v < empty_from), free = first_day < after[slow + (part_given ? part_since : EARLIEST) - EARLIEST];
        missing[i] = apart & ((of_part > v) | (improved & !of_works_given) | (!free_of_charge & !part_given));
        v = improved ? most(v - works, 0) : v;
        of_part = most(of_part - (improved & of_works_given ? (double)of_works : 0), 0);
        worth[i] = v;
        value[i] = (apart & (free_of_charge | free)) ? -1 - of_part : v; /* below nothing where an apportionment has effect */
    }
    for (int64_t i = 0; i < count; i++) {
        double v = value[starts[account[first + i]] - first];
        begun[i] = v < 0 ? -1 - v : v;
    }
    for (int64_t i = 0; i < count; i++) {
#define X(type, name) __typeof__(+name##_at[0]) name = name##_at[first + i]; /* a byte as an int */
        COLUMNS(X)
#undef X
        double listed = rateable, length = days;
        int in_london = london_given & london, occupied = state == 0, exempt = exemption_given & (exemption != 0), part = value[i] < 0;
        double v = worth[i], charged = part ? -1 - value[i] : v;
        int who = kind_given * kind, charitable = (who == 1) | (who == 2), now = first_day, lost = missing[i];

        int slow = (industrial_given & industrial) * DAYS, whole_spell = short_from_given & short_to_given;
        int too_short = empty_before_given & whole_spell & (short_to - short_from + 1 < (short_from >= reset_from ? reset_later : reset));
        int since = empty_given ? empty_since : EARLIEST, counted = too_short ? empty_before : since;
        int counts = !occupied & !exempt & (listed >= empty_from), over = now >= after[slow + counted - EARLIEST];
        lost |= !occupied & exemption_given & (exemption == 12) & !charitable;
        lost |= counts & (!empty_given | (now < since) | (empty_before_given & !whole_spell));
        int due = occupied | (counts & over);

        int several = others_given * others, later = (several > 0) & taken_given, taken = later ? taken_on : year_start;
        int ends = after[(taken < longer_from ? 2 : 3) * DAYS + taken - EARLIEST], counts_from = taken > grace_begins ? taken : grace_begins;
        int grace = later & ((now < taken) | ((now >= counts_from) & (now < ends)));
        int others_left = several - grace, asked = occupied & claimed_given & claimed;
        double of_taken = taken_value_given ? (double)taken_value : 0, most_of_others = greatest_given ? (double)greatest : 0;
        double left_value = most((together_given ? (double)together : 0) - (grace ? of_taken : 0), 0);
        int hides = grace & (of_taken >= most_of_others);
        double left_greatest = hides ? (next_given ? (double)next : left_value) : most_of_others;
        double allowed_together = in_london ? together_london : together_limit;
        int small_ones = (left_greatest <= disregarded) & (charged + left_value <= allowed_together);
        lost |= asked & (others_left != 0) & (!greatest_given | !together_given | (grace & !taken_value_given) | (hides & !next_given & (left_value > disregarded)));
        int taper = asked & ((others_left == 0) | small_ones) & (charged <= taper_to);
        int charity = occupied & charitable & (use != SCHOOL);
        double limit_here = limits[rural];
        int village = rural_given & (begun[i] <= limit_here);
        int nothing = occupied & ((use == HEAT_NETWORK) | (use == LAVATORY) | village);
        charity &= nothing == 0;
        taper &= (nothing | charity) == 0;

        missing[i] = lost;
        kept[i] = due | nothing << 1 | charity << 2 | taper << 3;
    }
    for (int64_t i = 0; i < count; i++) { /* the charge, transition and mandatory relief */
#define X(type, name) __typeof__(+name##_at[0]) name = name##_at[first + i]; /* a byte as an int */
        COLUMNS(X)
#undef X
        double listed = rateable, length = days;
        int in_london = london_given & london, occupied = state == 0, part = value[i] < 0, lost = missing[i];
        int due = kept[i] & 1, nothing = kept[i] >> 1 & 1, charity = kept[i] >> 2 & 1, taper = kept[i] >> 3 & 1;
        double v = worth[i], charged = part ? -1 - value[i] : v;
        double rate = charged <= small_limit ? small : standard, whole = 1000 * v * rate * length / year, charge = due ? whole : 0;
        int listed_before = before_given & start_given;
        lost |= before_given & !start_given;
        double before = listed_before ? (double)value_before : 0, start = listed_before ? (double)at_start : 0;
        double upper = most(before, start) * 1000000, medium = in_london ? size_small_london : size_small;
        double first_cap = start > medium ? c3 : c0, second_cap = start > medium ? c4 : c1, third_cap = start > medium ? c5 : c2;
        first_cap = start > size_medium ? c6 : first_cap;
        second_cap = start > size_medium ? c7 : second_cap;
        third_cap = start > size_medium ? c8 : third_cap;
        double one = least(upper, before * small * 10 * first_cap * (q0 / 1000));
        double two = least(upper, one * second_cap / 100 * (q1 / 1000));
        double three = least(upper, two * third_cap / 100 * (q2 / 1000));
        int limited = due & (start * small * 1000 > most(two, three)) & (nothing == 0);
        double fallen = three * v / most(start, 1), limit = v < start ? fallen : three + (v - start) * small * 1000;
        double of_limit = (limit + v * (rate - small) * 1000) * length / year;
        double transition = limited ? of_limit : charge;
        double left = part ? transition * least(charged, v) / most(v, 1) : transition;

        double above = most(charged - subtracted, 1);
        double divisor = __builtin_ceil((2000 * taper_divided - above) / (2 * above));
        divisor = charged <= full_to ? full_divisor : divisor;
        divisor = charity ? charity_divisor : divisor;
        double divided = 1000 * left / divisor;
        double mandatory = nothing ? 0 : ((charity | taper) ? divided : left);

        full[i] = whole;
        gross[i] = charge;
        with_transition[i] = transition;
        apportioned[i] = left;
        after_mandatory[i] = mandatory;
        missing[i] = lost;
    }
    for (int64_t i = 0; i < count; i++) { /* what the council gives */
#define X(type, name) __typeof__(+name##_at[0]) name = name##_at[first + i]; /* a byte as an int */
        COLUMNS(X)
#undef X
        double length = days, v = worth[i], charge = gross[i], transition = with_transition[i], mandatory = after_mandatory[i];
        int occupied = state == 0, part = value[i] < 0, due = kept[i] & 1, who = kind_given * kind, lost = missing[i];
        double charged = part ? -1 - value[i] : v;
        int helped = occupied & supported_given & (supported == 2) & (who == 0);
        double for_year = allowed_given ? allowed : (base_given ? (double)base : 0) + steps;
        lost |= helped & !allowed_given & (!base_given | (start_given & (at_start != rateable)));
        double support = mandatory - for_year * 10000 * length / year;
        double rest = mandatory - (helped ? most(support, 0) : 0);

        int own = due & (who != 3), shop = occupied & own & ((refused_given & refused) == 0);
        double share = relieved[use];
        double topped = own & top_up_given ? shared(rest, top_up) : 0, room = rest - topped;
        double film = most(charge * film_share / 100 - most(charge - transition, 0), 0);
        film = part ? film * least(charged, v) / most(v, 1) : film;
        film = own & (use == FILM_STUDIO) ? least(film, room) : 0;
        after_support[i] = rest;
        top_up_relief[i] = topped;
        after_funded[i] = rest - film;
        for_retail[i] = room - film;
        retail[i] = shop ? share * (room - film) / 100 : 0;
        value[i] = own & discretionary_given ? (double)discretionary : 0; /* from here on the share of the council's own relief */
        missing[i] = lost;
    }
}

/* pence of amounts of which ten thousand make one; what is a hundred-millionth of a pound below a half penny is that half */
static inline double pence(double amount) { return __builtin_floor(amount / 10000 + 0.500001); }

enum { OF_VALUE, OF_FULL, OF_GROSS, OF_TRANSITION, OF_APPORTIONED, OF_MANDATORY, OF_SUPPORT, OF_TOP_UP, OF_FUNDED, OF_ROOM, OF_RETAIL, OF_BEGUN, OF_WORTH, OF_KEPT, COLUMNS_OF };

static __attribute__((noinline)) void lines(int64_t count, const double *restrict full, const double *restrict gross, const double *restrict transition,
                                            const double *restrict apportioned, const double *restrict mandatory, const double *restrict support,
                                            const double *restrict funded, const double *restrict retail, const double *restrict discretionary,
                                            const double *restrict owed, int64_t *restrict o0, int64_t *restrict o1, int64_t *restrict o2, int64_t *restrict o3,
                                            int64_t *restrict o4, int64_t *restrict o5, int64_t *restrict o6, int64_t *restrict o7, int64_t *restrict o8,
                                            int64_t *restrict o9, int64_t *restrict o10, int64_t *restrict o11) {
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
#define X(type, name) p[AT_##name],
        periods(p0, count, COLUMNS(X) p[AT_account], starts, figures, after, of[OF_VALUE], of[OF_FULL], of[OF_GROSS], of[OF_TRANSITION], of[OF_APPORTIONED], of[OF_MANDATORY],
                of[OF_SUPPORT], of[OF_TOP_UP], of[OF_FUNDED], of[OF_ROOM], of[OF_RETAIL], of[OF_BEGUN], of[OF_WORTH], (int32_t *)of[OF_KEPT], lost);
#undef X
        double *restrict retail = of[OF_RETAIL], *restrict funded = of[OF_FUNDED], *restrict topped = of[OF_TOP_UP], *restrict left = of[OF_ROOM], *restrict owed = of[OF_VALUE];
        for (int64_t k = r; k < end; k++) {
            int64_t begin = starts[whose[k]] - p0, stop = starts[whose[k + 1]] - p0;
            double used = 0, limit = cap;
            for (int64_t a = whose[k]; a < whose[k + 1]; a++) {
                limit = least(limit, cap_left_given[a] ? (double)cap_left[a] * 10000 : limit);
                limit = least(limit, subsidy_given[a] ? (double)subsidy_room[a] * 10000 : limit);
            }
            for (int64_t n = begin; n < stop; n++) {
                double was = least(used, limit);
                used += retail[n];
                retail[n] = least(used, limit) - was;
            }
        }
        for (int64_t n = 0; n < count; n++) { /* the council's own relief, on what that for retail leaves */
            double after_retail = funded[n] - retail[n], local = shared(left[n] - retail[n], owed[n]);
            retail[n] = after_retail;
            left[n] = after_retail - least(after_retail, topped[n] + local);
        }
        for (int64_t a = a0; a < a1; a++) { /* nearly always one period */
            int64_t at = a - a0, n = starts[a] - p0, stop = starts[a + 1] - p0;
            double remitted = hardship_given[a] ? hardship[a] * 10000 : 0, so_far = 0, sum = 0;
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
        lines(a1 - a0, of[OF_FULL], of[OF_GROSS], of[OF_TRANSITION], of[OF_APPORTIONED], of[OF_MANDATORY], of[OF_SUPPORT], of[OF_FUNDED], retail, left, owed,
              out[0] + a0, out[1] + a0, out[2] + a0, out[3] + a0, out[4] + a0, out[5] + a0, out[6] + a0, out[7] + a0, out[8] + a0, out[9] + a0, out[10] + a0,
              out[11] + a0);
    }
    free(held);
    free(lost);
}
