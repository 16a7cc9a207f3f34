/* kith in C: the interface that bindings of other languages hang on.
 *
 *   kith_vectors* words = NULL;
 *   kith_index* index = NULL;
 *   kith_build_options options = {.struct_size = sizeof options, .metric = KITH_COSINE};
 *   uint32_t ids[10];
 *   if (kith_read_vectors("words.fvecs", NULL, &words) != KITH_OK ||
 *       kith_index_build(&rows, NULL, &options, &index) != KITH_OK ||
 *       kith_index_search(index, &query, 10, NULL, ids, NULL) != KITH_OK) {
 *     fprintf(stderr, "%s\n", kith_last_error());
 *   }
 *
 * Rules that hold everywhere:
 * - A function that can fail returns a kith_status. On anything but KITH_OK its outputs are
 *   untouched and kith_last_error() explains it. No exception leaves the library.
 * - Handles (kith_index, kith_vectors, kith_labels, kith_ranges) are freed by their _free function,
 *   which accepts NULL. A handle may outlive the one it came from.
 * - Any number of threads may use a handle at once, but not while it is freed.
 * - Option structs start with struct_size, set to sizeof; zero in any other field means its
 * default. A NULL options pointer means all defaults. Programs built against an older header stay
 * valid.
 * - Strings are UTF-8. Paths are passed to the operating system as they are.
 */
#ifndef KITH_KITH_H
#define KITH_KITH_H

#include <stddef.h>
#include <stdint.h>

#include "kith/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a call returns. Fixed-width integers, so that bindings know their size. */
typedef int32_t kith_status;
enum {
  KITH_OK = 0,
  KITH_INVALID_ARGUMENT = 1, /* something impossible was asked for (k = 0, unknown codec, NaN) */
  KITH_NOT_FOUND = 2,        /* a file, label or tensor that isn't there */
  KITH_IO = 3,               /* the operating system refused or failed */
  KITH_CORRUPT = 4,          /* bytes that break their format */
  KITH_UNSUPPORTED = 5,      /* newer than this version, or outside what it reads */
  KITH_CANCELLED = 6,        /* the cancel flag was raised; nothing was changed */
  KITH_OUT_OF_MEMORY = 7,
  KITH_INTERNAL = 8 /* a defect in kith: please report it */
};

/* How vectors are compared. The values that searches return are what people expect of the metric:
 * squared Euclidean distance, inner product, cosine similarity; nearest first in each. */
typedef int32_t kith_metric;
enum { KITH_L2 = 0, KITH_IP = 1, KITH_COSINE = 2 };

/* What one component is stored as. */
typedef int32_t kith_element;
enum { KITH_F32 = 0, KITH_F16 = 1, KITH_BF16 = 2, KITH_I8 = 3, KITH_U8 = 4 };

typedef int32_t kith_label_kind;
enum { KITH_LABELS_NONE = 0, KITH_LABELS_NUMBERS = 1, KITH_LABELS_STRINGS = 2 };

/* Pads the ids of a row that has fewer than k hits; their values are the farthest there is. */
#define KITH_NO_ID UINT32_MAX

typedef struct kith_index kith_index;
typedef struct kith_vectors kith_vectors;
typedef struct kith_labels kith_labels;
typedef struct kith_ranges kith_ranges;

/* Rows of vectors that the caller owns; kith reads them during the call only. */
typedef struct kith_matrix {
  const void* data;    /* row 0; aligned to the element's size */
  size_t rows;         /* vectors */
  size_t dim;          /* components of a vector */
  size_t stride_bytes; /* from one row to the next; 0: rows touch */
  kith_element element;
} kith_matrix;

/* Steers a long call. */
typedef struct kith_control {
  size_t struct_size;
  size_t threads; /* 0: one per processor that this process may run on */
  /* One byte, 0 or 1, polled during the call; storing 1 (from any thread or a signal handler) makes
   * the call return KITH_CANCELLED. May be NULL. */
  const uint8_t* cancel;
  /* Called with `context` at most a few times a second, never from two threads at once. May be
   * NULL. Must not throw or jump out. */
  void (*progress)(void* context, const char* stage, size_t done, size_t total);
  void* context;
} kith_control;

/* ---- The library ---- */

/* "0.1.0"; static. */
const char* kith_version(void);

/* Why the last failed call of this thread failed: one line naming the thing, the value seen and
 * what was expected. Valid until this thread's next failure; "" when nothing has failed. */
const char* kith_last_error(void);

/* ---- Labels: the names people know vectors by ---- */

/* Copies `count` numbers or NUL-terminated strings. */
kith_status kith_labels_from_numbers(const uint64_t* numbers, size_t count, kith_labels** labels);
kith_status kith_labels_from_strings(const char* const* strings, size_t count,
                                     kith_labels** labels);
void kith_labels_free(kith_labels* labels);

kith_label_kind kith_labels_kind(const kith_labels* labels);
size_t kith_labels_size(const kith_labels* labels); /* 0 for KITH_LABELS_NONE */

/* Label i < size, of numbers and of strings. A string isn't NUL-terminated; it is valid as long as
 * `labels`. */
kith_status kith_labels_number(const kith_labels* labels, size_t i, uint64_t* number);
kith_status kith_labels_string(const kith_labels* labels, size_t i, const char** text,
                               size_t* length);

/* The first row that bears the label, written as text whatever the kind; KITH_NOT_FOUND when none
 * of the `rows` vectors does. Scans: O(rows). */
kith_status kith_labels_find(const kith_labels* labels, const char* label, size_t rows,
                             uint32_t* row);

/* ---- Vectors in files ---- */

typedef struct kith_read_options {
  size_t struct_size;
  const char* format;  /* overrides detection, e.g. "word2vec-binary" */
  const char* dataset; /* which array of an HDF5 or safetensors file */
  const kith_control* control;
} kith_read_options;

/* Reads vectors and their labels in any format kith knows; large files are mapped, not copied. */
kith_status kith_read_vectors(const char* path, const kith_read_options* options,
                              kith_vectors** vectors);
void kith_vectors_free(kith_vectors* vectors);

kith_matrix kith_vectors_rows(const kith_vectors* vectors); /* valid as long as `vectors` */
kith_status kith_vectors_labels(const kith_vectors* vectors, kith_labels** labels);
const char* kith_vectors_format(const kith_vectors* vectors); /* "fvecs", "npy" ... */

/* The format comes from the extension of `path`, which is whole or untouched afterwards. `labels`
 * may be NULL. */
kith_status kith_write_vectors(const char* path, const kith_matrix* rows, const kith_labels* labels,
                               const kith_control* control);

/* ---- Exact search, without an index ---- */

/* The k nearest of `base` for each query, ties by id. `ids` and `values` have room for
 * queries->rows * k entries, row by row; `values` may be NULL. */
kith_status kith_exact_search(const kith_matrix* base, const kith_matrix* queries, size_t k,
                              kith_metric metric, const kith_control* control, uint32_t* ids,
                              float* values);

/* ---- An index ---- */

typedef struct kith_build_options {
  size_t struct_size;
  kith_metric metric;
  const char* index; /* "graph", "flat" or "ivf"; NULL: chosen from the data */
  const char* codec; /* "f32", "lvq8", "lvq4x8" ...; NULL: chosen from the data */
  size_t degree;     /* out-edges of a node; 0: chosen */
  size_t build_beam; /* 0: chosen */
  double recall;     /* recall@10 that the default beam is tuned for; 0: 0.95 */
  uint64_t seed;     /* 0: 1. One seed gives one index, for any number of threads. */
  const kith_control* control;
  const char* order; /* "given", "by-label", "lid-descending" ...; NULL: "random" */
} kith_build_options;

/* Builds over a copy of the rows. `labels` may be NULL. */
kith_status kith_index_build(const kith_matrix* rows, const kith_labels* labels,
                             const kith_build_options* options, kith_index** index);

enum {
  KITH_OPEN_SKIP_LARGE_CHECKSUMS = 1, /* check the small sections only */
  KITH_OPEN_IN_MEMORY = 2             /* read the file instead of mapping it: faster searches */
};

/* Opens a saved index, mapped read-only unless `flags`, the sum of the above, say otherwise. The
 * checksums of all sections are checked first. Where its vectors are on disk (kith build --disk),
 * their file is opened too and read by searches, whose status says when it can't be. */
kith_status kith_index_open(const char* path, unsigned flags, kith_index** index);

/* Writes a temporary file beside `path`, syncs it and renames it over `path`. */
kith_status kith_index_save(const kith_index* index, const char* path, const kith_control* control);
void kith_index_free(kith_index* index);

/* Adds rows. `ids` has room for rows->rows of them and gets their ids: those of removed vectors
 * that are free again, then new ones after the last; it may be NULL. The file of an opened index
 * changes only when it is saved. Labels are NULL or of the kind the index has. Searches may run
 * meanwhile. */
kith_status kith_index_add_ids(kith_index* index, const kith_matrix* rows,
                               const kith_labels* labels, const kith_control* control,
                               uint32_t* ids);

/* The same without the ids. */
kith_status kith_index_add(kith_index* index, const kith_matrix* rows, const kith_labels* labels,
                           const kith_control* control);

/* Takes in what `count` other indexes hold that were built apart, of the same metric and dimension;
 * those may be searched meanwhile but not changed. Of vectors with equal labels the last index's is
 * kept when `replace` isn't 0; else they are an error, and nothing changes. */
kith_status kith_index_merge(kith_index* index, const kith_index* const* others, size_t count,
                             int replace, const kith_control* control);

/* Removes `count` vectors: no search that starts afterwards has them. Searches may run meanwhile.
 * KITH_INVALID_ARGUMENT, with none removed, for an id that isn't there, is removed already or is
 * given twice. */
kith_status kith_index_remove(kith_index* index, const uint32_t* ids, size_t count,
                              const kith_control* control);

/* Whether the id is one of a vector that isn't removed: 1 or 0. */
int kith_index_contains(const kith_index* index, uint32_t id);

/* A vector with that label; KITH_NOT_FOUND when there is none. */
kith_status kith_index_find(const kith_index* index, const char* label, uint32_t* id);

typedef struct kith_search_options {
  size_t struct_size;
  size_t beam;   /* breadth of the search: larger finds more and costs more; 0: the index's */
  size_t rerank; /* candidates scored again by the best codes; 0: as many as can matter */
  const kith_control* control;
  /* What may be returned: bit i % 64 (1 is the lowest) of allowed[i / 64] allows id i; ids beyond
   * allowed_words are not allowed. NULL: all. */
  const uint64_t* allowed;
  size_t allowed_words;
} kith_search_options;

/* The k nearest of each query, nearest first. `ids` and `values` have room for queries->rows * k
 * entries, row by row, padded with KITH_NO_ID when the index is smaller; `values` may be NULL. */
kith_status kith_index_search(const kith_index* index, const kith_matrix* queries, size_t k,
                              const kith_search_options* options, uint32_t* ids, float* values);

/* All vectors found at most this squared distance (l2), or at least this similarity (ip, cosine)
 * away from each query. */
kith_status kith_index_range(const kith_index* index, const kith_matrix* queries, float radius,
                             const kith_search_options* options, kith_ranges** ranges);

/* Query i's hits are entries offsets[i] up to offsets[i + 1] of ids and values, nearest first.
 * Valid as long as `ranges`. */
const size_t* kith_ranges_offsets(const kith_ranges* ranges);
const uint32_t* kith_ranges_ids(const kith_ranges* ranges);
const float* kith_ranges_values(const kith_ranges* ranges);
void kith_ranges_free(kith_ranges* ranges);

typedef struct kith_index_info {
  size_t struct_size; /* set before the call */
  size_t vectors, dim, degree, default_beam;
  size_t bytes; /* of the whole index */
  kith_metric metric;
  kith_element element;
  kith_label_kind labels;
  double tuned_recall; /* recall@10 that the default beam was tuned for; 0: never tuned */
  char kind[32];       /* "graph", "flat" or "ivf" */
  char codec[96];      /* its full name */
  size_t removed;      /* ids below vectors + removed are in use or were */
} kith_index_info;

kith_status kith_index_get_info(const kith_index* index, kith_index_info* info);
kith_status kith_index_labels(const kith_index* index, kith_labels** labels);

/* The vector of an id, decoded from the best codes there are: `dim` floats. */
kith_status kith_index_vector(const kith_index* index, uint32_t id, float* vector);

/* What a search with beam = 0 uses, and the recall@10 it stands for. */
kith_status kith_index_set_default_beam(kith_index* index, size_t beam, double recall);

#ifdef __cplusplus
}
#endif

#endif
