/* SPDX-License-Identifier: MIT */
/* Worlds of costs: F3 on chains, injections and services, F4, F9. */
#include <math.h>
#include <stdio.h>

#include "hk/base/units.h"
#include "world.h"

/* --- F3: chains ---------------------------------------------------------------- */

/* Beyond it a copy leaves the cache; between training sizes that pin it down. */
static const double break_bytes = 5120;

/* One way of so many bytes through a pipe, ns. */
static double one_way_ns(double bytes)
{
    return 2063 + 0.0312 * bytes + 0.2490 * fmax(0, bytes - break_bytes);
}

static const int pipe_training[] = {1, 4096, 16384, 65536};
static const int chain_held_out[] = {256, 2048, 8192, 32768};

static void fill_pipe(struct hk_world *w)
{
    for (size_t s = 0; s < HK_ARRAY_COUNT(pipe_training); s++)
        hk_world_cell(w, "cost_ns", 2 * one_way_ns(pipe_training[s]),
                      "native/round_trip/pipe/place:same_core/bytes:%d", pipe_training[s]);
}

static void fill_chains(struct hk_world *w, const int *sizes, size_t count,
                        double (*trips)(int servers))
{
    for (size_t s = 0; s < count; s++)
        for (int m = 1; m <= 4; m++)
            hk_world_cell(w, "cost_ns", 2 * one_way_ns(sizes[s]) * trips(m),
                          "native/chain/pipe/place:same_core/servers:%d/bytes:%d", m, sizes[s]);
}

static void fill_hops(struct hk_world *w, double (*trips)(int servers))
{
    fill_pipe(w);
    fill_chains(w, pipe_training, HK_ARRAY_COUNT(pipe_training), trips);
    fill_chains(w, chain_held_out, HK_ARRAY_COUNT(chain_held_out), trips);
}

static double trips_alike(int servers)
{
    return servers;
}

static double trips_dearer(int servers)
{
    return 1 + 1.37 * (servers - 1);
}

/* Every trip of a chain that visits three spaces and more costs alike. */
static double trips_of_three(int servers)
{
    return servers == 1 ? 1 : 1.29 * servers;
}

void hk_fill_hops_alike(struct hk_world *w)
{
    fill_hops(w, trips_alike);
}

void hk_fill_hops_dearer(struct hk_world *w)
{
    fill_hops(w, trips_dearer);
}

void hk_fill_hops_of_three(struct hk_world *w)
{
    fill_hops(w, trips_of_three);
}

/* --- F3: coefficients ------------------------------------------------------------ */

/* What is paid for each injected ns. The levels of launches differ, their slopes do not. */
static void fill_slopes(struct hk_world *w, const char *cell, double slope)
{
    static const double delay_ns[] = {100, 500, 1000, 2000, 4000};
    double cost_ns[HK_ARRAY_COUNT(delay_ns)];
    struct hk_noise_source levels = hk_world_noise(w);

    for (uint32_t i = 0; i < w->plan->launch_count; i++) {
        const double level_ns = 2063 * slope * hk_world_factor(w, &levels);
        for (size_t d = 0; d < HK_ARRAY_COUNT(delay_ns); d++) {
            /* Delays take turns in a launch: a tenth of what launches scatter by is left. */
            const double own = 1 + 0.1 * w->plan->noise_ratio * hk_rng_normal(w->rng);
            cost_ns[d] = (level_ns + slope * delay_ns[d]) * own;
        }
        const struct hk_world_series series[] = {
            {"delay_ns", delay_ns, HK_ARRAY_COUNT(delay_ns)},
            {"delay_cost_ns", cost_ns, HK_ARRAY_COUNT(delay_ns)},
        };
        hk_world_launch(w, cell, i, HK_TIMED, NULL, 0, series, HK_ARRAY_COUNT(series));
    }
}

static void fill_injection(struct hk_world *w, double one, double two, double kernel)
{
    fill_slopes(w, "native/inject/pipe/place:same_core/servers:1/bytes:64", one);
    fill_slopes(w, "native/inject/pipe/place:same_core/servers:2/bytes:64", two);
    fill_slopes(w, "native/inject_syscall/pipe_self/bytes:64", kernel);
}

void hk_fill_injection(struct hk_world *w)
{
    fill_injection(w, 2, 4, 2);
}

void hk_fill_injection_more(struct hk_world *w)
{
    fill_injection(w, 3, 5, 3);
}

void hk_fill_injection_less(struct hk_world *w)
{
    fill_injection(w, 1, 3, 1);
}

/* --- F3 on services, F4 ------------------------------------------------------------ */

static const int read_sizes[] = {1,     4096,  8192,   16384,  24576,  32768,  49152,
                                 65536, 131072, 196608, 262144, 524288, 786432, 1048576};

/* A read by the kernel, ns, and the same in a server's process. */
static double kernel_read_ns(double bytes)
{
    return 1203 + 0.0371 * bytes;
}

static double body_ns(double bytes)
{
    return 330 + 0.0110 * bytes;
}

static double four_transfers_ns(double bytes)
{
    return 4 * one_way_ns(bytes) + body_ns(bytes);
}

static double one_trip_ns(double bytes)
{
    return kernel_read_ns(bytes) + 2 * one_way_ns(1);
}

/* The kernel's and a server's cost of reads; pages is the server that remaps, or NULL. */
static void fill_reads(struct hk_world *w, double (*kernel_ns)(double), double (*served_ns)(double),
                       double (*pages_ns)(double), double (*remap_ns)(double))
{
    for (size_t s = 0; s < HK_ARRAY_COUNT(read_sizes); s++) {
        const int bytes = read_sizes[s];
        hk_world_cell(w, "cost_ns", kernel_ns(bytes), "native/file_read/tmpfs/bytes:%d", bytes);
        hk_world_cell(w, "cost_ns", served_ns(bytes),
                      "native/file_read/fuse/cache:direct/bytes:%d", bytes);
        if (pages_ns == NULL)
            continue;
        hk_world_cell(w, "cost_ns", pages_ns(bytes),
                      "native/file_read/fuse/cache:direct/reply:splice/bytes:%d", bytes);
        if (bytes > 1)
            hk_world_cell(w, "cost_ns", remap_ns(bytes), "native/remap/mremap/bytes:%d", bytes);
    }
}

static void fill_service(struct hk_world *w, double (*served_ns)(double))
{
    fill_pipe(w);
    fill_reads(w, kernel_read_ns, served_ns, NULL, NULL);
    for (size_t s = 0; s < HK_ARRAY_COUNT(read_sizes); s++)
        hk_world_cell(w, "cost_ns", body_ns(read_sizes[s]), "native/file_read/memfs/bytes:%d",
                      read_sizes[s]);
}

void hk_fill_service_textbook(struct hk_world *w)
{
    fill_service(w, four_transfers_ns);
}

void hk_fill_service_one_trip(struct hk_world *w)
{
    fill_service(w, one_trip_ns);
}

/* The textbook's unit: any payload doubles the cost. One transfer costs about as much. */
static double half_kernel_ns(double bytes)
{
    return 2411 * (1 + fmin(1, (bytes - 1) / 4095));
}

static double half_served_ns(double bytes)
{
    return half_kernel_ns(bytes) + 2 * one_way_ns(1);
}

/* Remapping costs 0.43 of the copy that it replaces. */
static double half_remap_ns(double bytes)
{
    (void)bytes;
    return 0.43 * 2411;
}

static double half_pages_ns(double bytes)
{
    return 2411 + half_remap_ns(bytes) + 2 * one_way_ns(1);
}

void hk_fill_share_half(struct hk_world *w)
{
    fill_pipe(w);
    fill_reads(w, half_kernel_ns, half_served_ns, half_pages_ns, half_remap_ns);
}

static double own_remap_ns(double bytes)
{
    return 900 + 0.0042 * bytes;
}

static double own_pages_ns(double bytes)
{
    return kernel_read_ns(1) + own_remap_ns(bytes) + 2 * one_way_ns(1);
}

void hk_fill_share_own(struct hk_world *w)
{
    fill_pipe(w);
    fill_reads(w, kernel_read_ns, one_trip_ns, own_pages_ns, own_remap_ns);
}

/* --- F9 ---------------------------------------------------------------------------- */

/* Time to load what makes the verifier process so much. */
static double load_ns(double processed)
{
    return 15200 + 487 * processed;
}

static void fill_loads(struct hk_world *w)
{
    static const int straight[] = {16,   32,   64,   128,   256,   512,  1024,
                                   2048, 4096, 8192, 16384, 32768, 65536};
    char cell[HK_NAME_BYTES];

    for (size_t i = 0; i < HK_ARRAY_COUNT(straight); i++)
        hk_world_cell(w, "cost_ns", load_ns(straight[i]),
                      "native/extension/load/shape:straight/size:%d", straight[i]);
    for (int branches = 2; branches <= 12; branches++) {
        const double processed = 9 * pow(2, branches) - 1;
        snprintf(cell, sizeof cell, "native/extension/load/shape:branchy/size:%d", branches);
        hk_world_cell(w, "cost_ns", load_ns(1.7 * processed), "%s", cell);
        hk_world_counter(w, cell, "hk_processed_count", processed);
    }
}

static void fill_events(struct hk_world *w, double attachment_ns)
{
    static const int sizes[] = {256, 4096};
    static const int counts[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    static const char part[] = "native/extension/%s/shape:straight/size:%d";
    static const double plain_ns = 1417, server_ns = 9421;

    for (size_t s = 0; s < HK_ARRAY_COUNT(sizes); s++) {
        const double run_ns = 30 + 0.23 * sizes[s];
        const double attached_ns = plain_ns + run_ns + attachment_ns;
        hk_world_cell(w, "cost_ns", run_ns, part, "run", sizes[s]);
        hk_world_cell(w, "cost_ns", plain_ns, part, "event_plain", sizes[s]);
        hk_world_cell(w, "cost_ns", attached_ns, part, "event_ebpf", sizes[s]);
        hk_world_cell(w, "cost_ns", server_ns, part, "event_server", sizes[s]);
        for (size_t c = 0; c < HK_ARRAY_COUNT(counts); c++)
            hk_world_cell(w, "cost_ns", attached_ns + load_ns(sizes[s]) / counts[c],
                          "native/extension/amortised/shape:straight/size:%d/count:%d", sizes[s],
                          counts[c]);
    }
}

void hk_fill_extension(struct hk_world *w)
{
    fill_loads(w);
    fill_events(w, 0);
}

void hk_fill_attachment(struct hk_world *w)
{
    fill_loads(w);
    fill_events(w, 1930);
}
