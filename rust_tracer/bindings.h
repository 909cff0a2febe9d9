/* SPDX-License-Identifier: GPL-2.0 */
/* What bindgen reads: the ABI, and the shim. */
#include "../include/uapi/rust_tracer.h"
#include "shim.h"
