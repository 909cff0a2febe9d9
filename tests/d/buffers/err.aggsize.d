/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations must have room for one entry. */
/* @needs: guest */
#pragma D option aggsize=8

BEGIN { @ = count(); exit(0); }
