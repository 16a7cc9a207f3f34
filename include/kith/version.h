/* The version of these headers; the build takes the library's version from here. Before 1.0 a new
 * minor version may change the C++ interface; the C interface only grows. */
#pragma once

#define KITH_VERSION_MAJOR 0
#define KITH_VERSION_MINOR 1
#define KITH_VERSION_PATCH 0
#define KITH_VERSION_STRING "0.1.0"
