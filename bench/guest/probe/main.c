/* SPDX-License-Identifier: MIT */
/* Runs the regions and prints what the time stamp counter said of each. */
#include <stdint.h>

uint32_t region_device(void);
uint32_t region_empty(void);
uint32_t region_loop(void);
uint32_t region_memory(void);
uint32_t region_rep(void);
uint32_t region_cr3(void);
uint32_t region_fault(void);
uint32_t region_interrupt(void);
uint32_t user_run(void);
void guest_main(void);

static const struct {
    const char *name;
    uint32_t (*run)(void);
} regions[] = {
    {"empty", region_empty},   {"loop", region_loop},
    {"memory", region_memory}, {"rep", region_rep},
    {"cr3", region_cr3},       {"fault", region_fault},
    {"user", user_run},        {"interrupt", region_interrupt},
    {"device", region_device},
};

static void put(char c)
{
    __asm__ volatile("outb %0, $0xe9" : : "a"(c));
}

static void print(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

static void print_number(uint32_t number)
{
    char digits[12];
    char *p = digits + sizeof(digits) - 1;

    *p = '\0';
    do {
        *--p = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    print(p);
}

void guest_main(void)
{
    for (unsigned i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        uint32_t icount = regions[i].run();

        print(regions[i].name);
        put('=');
        print_number(icount);
        put('\n');
    }
}
