/* SPDX-License-Identifier: MIT */
/*
 * The few functions the kernel needs from below. metal.c has them for the
 * machine, hosted.c for a process under test; the build links one of the two.
 */
#ifndef HK_PORT_PORT_H
#define HK_PORT_PORT_H

#include "kernel/types.h"

/* Write text to the console as it is. */
void hk_port_console(struct hk_kernel *kernel, const char *text, uint64_t bytes);

/* Time since boot, ns. */
uint64_t hk_port_clock_ns(struct hk_cpu *cpu);

/* Interrupt at or soon after this time; HK_TIMEOUT_NONE: never. */
void hk_port_timer_arm(struct hk_cpu *cpu, uint64_t at_ns);

/* Forget cached translations: one address of the loaded space. */
void hk_port_flush_page(struct hk_cpu *cpu, uint64_t address);

/* This address space is about to go: if it is loaded, load the kernel's own. */
void hk_port_space_leave(struct hk_cpu *cpu, uint64_t root);

/* Mask or unmask an interrupt line; make it interrupt as if its device did. */
void hk_port_irq_mask(struct hk_cpu *cpu, uint32_t line, bool masked);
void hk_port_irq_raise(struct hk_cpu *cpu, uint32_t line);

/* Access to an I/O port, of 1, 2 or 4 bytes. */
uint32_t hk_port_in(struct hk_cpu *cpu, uint16_t port, uint32_t bytes);
void hk_port_out(struct hk_cpu *cpu, uint16_t port, uint32_t bytes, uint32_t value);

/* The registers of a device at a physical address, for a driver in ring 0; NULL: it has none. */
volatile void *hk_port_registers(struct hk_kernel *kernel, uint64_t physical);

/* Whether one of these ports, or of these physical addresses, is the kernel's own business. */
bool hk_port_owns_ports(uint64_t first, uint64_t count);
bool hk_port_owns_memory(const struct hk_kernel *kernel, uint64_t first, uint64_t bytes);

/* End the machine; the hosted port remembers the code for the test. */
void hk_port_power_off(struct hk_cpu *cpu, uint64_t code);

/* Fill with zero and copy; sizes in bytes. */
void hk_port_zero(void *to, uint64_t bytes);
void hk_port_copy(void *to, const void *from, uint64_t bytes);

#endif
