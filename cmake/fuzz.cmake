# libFuzzer targets: each NAME_fuzz.cc becomes build/fuzz/NAME_fuzz, and the
# parsers it reaches are built with coverage counters. `cmake --build --preset fuzz --target fuzzers`
# builds all and nothing else; tests/fuzz.sh runs them.
set(fuzz_flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
  -fno-omit-frame-pointer -fprofile-instr-generate -fcoverage-mapping)

# A library of its own: the kernels and most indexes of libkith would take minutes to instrument.
kith_sources(fuzzed_sources src/base src/formats src/text src/codec)
foreach(name postings posting_lists posting_search packed_sums relevance lists_content
    tier_name trained_binariser trained_codebooks verifier_content inverted_lists list_blocks row_scan
    cells centre_graph packed_graph)
  list(APPEND fuzzed_sources ${PROJECT_SOURCE_DIR}/src/index/${name}.cc)
endforeach()
kith_sources(fuzzed_kernels src/simd)
add_library(kith-fuzzed-kernels STATIC EXCLUDE_FROM_ALL ${fuzzed_kernels})
target_include_directories(kith-fuzzed-kernels PRIVATE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/src)
add_library(kith-fuzzed STATIC EXCLUDE_FROM_ALL ${fuzzed_sources})
target_include_directories(kith-fuzzed PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_include_directories(kith-fuzzed SYSTEM PRIVATE ${eigen_include})
target_compile_definitions(kith-fuzzed PRIVATE KITH_PARALLEL_STD KITH_VERSION="${PROJECT_VERSION}")
target_compile_options(kith-fuzzed PUBLIC ${fuzz_flags})
target_link_options(kith-fuzzed PUBLIC ${fuzz_flags})
find_package(Threads REQUIRED)
target_link_libraries(kith-fuzzed PUBLIC kith-fuzzed-kernels Threads::Threads
  ${CMAKE_DL_LIBS})

# Writes small valid files, from which fuzzing starts.
add_executable(fuzz_seeds EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/fuzz_seeds.cc)
target_link_libraries(fuzz_seeds PRIVATE kith-fuzzed)
add_custom_target(fuzzers DEPENDS fuzz_seeds)

# A target for each NAME_fuzz.cc of the folders, linked to `library`.
function(kith_fuzz_targets library)
  foreach(folder IN LISTS ARGN)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*_fuzz.cc)
    foreach(file IN LISTS files)
      get_filename_component(name ${file} NAME_WE)
      add_executable(${name} EXCLUDE_FROM_ALL ${file})
      target_link_libraries(${name} PRIVATE ${library})
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      add_dependencies(fuzzers ${name})
    endforeach()
  endforeach()
endfunction()
kith_fuzz_targets(kith-fuzzed src/base src/formats src/codec src/index)

# Those of libkith-encode, which need ICU.
add_library(kith-fuzzed-encode STATIC EXCLUDE_FROM_ALL ${encode_sources})
target_include_directories(kith-fuzzed-encode SYSTEM PRIVATE ${eigen_include})
target_link_libraries(kith-fuzzed-encode PUBLIC kith-fuzzed ICU::uc ICU::i18n
  nlohmann_json::nlohmann_json ZLIB::ZLIB LibLZMA::LibLZMA)
kith_fuzz_targets(kith-fuzzed-encode src/text/tokenizer src/encode src/datasets src/judge
  src/store)
