/* SPDX-License-Identifier: MIT */
/*
 * The protocol of hk/core/ring.h for spin.
 *
 * Positions wrap at MODULUS, slots hold the position that was sent as payload, and
 * the marks writing/reading find a slot that both sides touch at once. Each step of
 * the C code that the other side can observe is one step here; acquire and release
 * forbid the reorderings that the mutants make, so that the mutants must fail:
 *
 *   -DMUTANT=1  the sequence word is published before the payload
 *   -DMUTANT=2  head is published before the payload is read
 *   -DMUTANT=3  the sender does not look at head
 *   -DMUTANT=4  an older message is not moved up when a younger one is taken
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define SLOTS 3
#define MODULUS 8

byte sequence[SLOTS];
byte payload[SLOTS];
byte head;
bool writing[SLOTS];
bool reading[SLOTS];

inline fill(slot, value)
{
    writing[slot] = true;
    assert(!reading[slot]);
    payload[slot] = value;
    writing[slot] = false;
}

active proctype sender()
{
    byte position, slot, seen;

    do
    ::  true ->
#if MUTANT != 3
        if
        ::  (position - seen + MODULUS) % MODULUS < SLOTS
        ::  else ->
            seen = head;
            assert((position - seen + MODULUS) % MODULUS <= SLOTS);
            if
            ::  (position - seen + MODULUS) % MODULUS < SLOTS
            ::  else -> goto again
            fi
        fi;
#endif
#if MUTANT == 1
        sequence[slot] = (position + 1) % MODULUS;
        fill(slot, position);
#else
        fill(slot, position);
        sequence[slot] = (position + 1) % MODULUS;
#endif
        position = (position + 1) % MODULUS;
        slot = (slot + 1) % SLOTS;
again:  skip
    od
}

/* Takes the oldest message, or the one behind it (as a channel with targets does). */
active proctype receiver()
{
    byte position, slot, next, got;
    bool moved; /* the oldest slot holds the message before its own position */

    do
    ::  sequence[slot] == (position + 1) % MODULUS ->
        next = (slot + 1) % SLOTS;
        if
        ::  true -> /* oldest */
#if MUTANT == 2
            head = (position + 1) % MODULUS;
#endif
            reading[slot] = true;
            assert(!writing[slot]);
            got = payload[slot];
            reading[slot] = false;
            assert(got == (position + MODULUS - moved) % MODULUS);
            moved = false
        ::  sequence[next] == (position + 2) % MODULUS && !moved -> /* the one behind it */
            reading[next] = true;
            assert(!writing[next]);
            got = payload[next];
            assert(got == (position + 1) % MODULUS);
#if MUTANT != 4
            payload[next] = payload[slot];
#endif
            reading[next] = false;
            moved = true
        fi;
        position = (position + 1) % MODULUS;
        slot = next;
#if MUTANT != 2
        head = position
#endif
    od
}
