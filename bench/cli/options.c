/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* getopt_long returns this for our own --help and, from OPTION_BASE, for the table's rows. */
enum { OPTION_HELP = 'h', OPTION_BASE = 256, OPTIONS_MAX = 32 };

enum hk_exit hk_exit_of(enum hk_status status)
{
    switch (status) {
    case HK_OK: return HK_EXIT_OK;
    case HK_ENOMEM:
    case HK_ENOTSUP:
    case HK_EINTR:
    case HK_ETIMEOUT:
    case HK_ENOISE:
    case HK_EPEER:
    case HK_EROW:
    case HK_EBUSY: return HK_EXIT_UNMEASURED;
    default: return HK_EXIT_USAGE;
    }
}

void hk_cli_error(const char *command, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "hkbench%s%s: ", command != NULL ? " " : "", command != NULL ? command : "");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static void print_option(const struct hk_option *o)
{
    char left[48];
    const char letter[] = {o->letter, 0};

    snprintf(left, sizeof left, "%s%s%s--%s%s%s", o->letter ? "-" : "", letter,
             o->letter ? ", " : "    ", o->name, o->argument != NULL ? " " : "",
             o->argument != NULL ? o->argument : "");
    printf("  %-26s %s\n", left, o->help);
}

void hk_options_help(const struct hk_command *c)
{
    printf("usage: hkbench %s [options]%s%s\n\n%s\n", c->name, c->arguments != NULL ? " " : "",
           c->arguments != NULL ? c->arguments : "", c->summary);
    if (c->details != NULL)
        printf("\n%s\n", c->details);
    printf("\noptions:\n");
    for (size_t i = 0; i < c->option_count; i++)
        print_option(&c->options[i]);
    printf("  %-26s %s\n", "-h, --help", "print this text");
}

static enum hk_status parse_uint(const struct hk_command *c, const struct hk_option *o,
                                 const char *text, uint64_t *value)
{
    char *end = NULL;

    errno = 0;
    const unsigned long long v = strtoull(text, &end, 10);
    /* strtoull takes "-1" and " 7"; a count is digits only. */
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || v < o->min || v > o->max) {
        hk_cli_error(c->name, "--%s takes a whole number from %llu to %llu, not '%s'", o->name,
                     (unsigned long long)o->min, (unsigned long long)o->max, text);
        return HK_EINVAL;
    }
    *value = v;
    return HK_OK;
}

static enum hk_status store(const struct hk_command *c, const struct hk_option *o, const char *text,
                            char *values)
{
    switch (o->kind) {
    case HK_OPTION_FLAG:
        *(bool *)(void *)(values + o->offset) = true;
        return HK_OK;
    case HK_OPTION_TEXT:
        *(const char **)(void *)(values + o->offset) = text;
        return HK_OK;
    case HK_OPTION_UINT:
        return parse_uint(c, o, text, (uint64_t *)(void *)(values + o->offset));
    }
    return HK_EINVAL;
}

/* The table as getopt_long wants it. letters needs 2 characters an option, ":h" and the end. */
static void build_getopt(const struct hk_command *c, struct option *longs, char *letters)
{
    size_t l = 0;

    letters[l++] = ':';
    letters[l++] = 'h';
    for (size_t i = 0; i < c->option_count; i++) {
        const struct hk_option *o = &c->options[i];
        const int has_value = o->kind != HK_OPTION_FLAG;
        longs[i] = (struct option){o->name, has_value, NULL, OPTION_BASE + (int)i};
        if (o->letter == 0)
            continue;
        letters[l++] = o->letter;
        if (has_value)
            letters[l++] = ':';
    }
    letters[l] = '\0';
    longs[c->option_count] = (struct option){"help", 0, NULL, OPTION_HELP};
    longs[c->option_count + 1] = (struct option){0};
}

static const struct hk_option *find_option(const struct hk_command *c, int code)
{
    if (code >= OPTION_BASE)
        return &c->options[code - OPTION_BASE];
    for (size_t i = 0; i < c->option_count; i++)
        if (c->options[i].letter == code)
            return &c->options[i];
    return NULL;
}

enum hk_status hk_options_parse(const struct hk_command *c, int argc, char **argv, void *values,
                                int *rest)
{
    struct option longs[OPTIONS_MAX + 2];
    char letters[2 * OPTIONS_MAX + 3];
    int code;

    if (c->option_count > OPTIONS_MAX || c->options_bytes > HK_OPTIONS_BYTES_MAX)
        return HK_ETOOBIG;
    memset(values, 0, HK_OPTIONS_BYTES_MAX);
    if (c->defaults != NULL)
        memcpy(values, c->defaults, c->options_bytes);
    build_getopt(c, longs, letters);
    opterr = 0;
    optind = 0; /* starts at 1, and forgets the letters that a failed parse left unread */
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (code == OPTION_HELP) {
            hk_options_help(c);
            return HK_EINTR;
        }
        if (code == '?' || code == ':') {
            /* Of letters in one word, getopt is still at that word: name the letter. */
            const char letter[] = {'-', (char)optopt, '\0'};
            hk_cli_error(c->name, "%s '%s'; hkbench %s --help lists the options",
                         code == ':' ? "a value is missing after" : "unknown option",
                         optopt > 0 && optopt < OPTION_BASE ? letter : argv[optind - 1], c->name);
            return HK_EINVAL;
        }
        if (store(c, find_option(c, code), optarg, values) != HK_OK)
            return HK_EINVAL;
    }
    if (argc - optind > c->positional_max) {
        hk_cli_error(c->name, "unexpected argument '%s'; hkbench %s --help shows the usage",
                     argv[optind + c->positional_max], c->name);
        return HK_EINVAL;
    }
    *rest = optind;
    return HK_OK;
}
