# libkith-encode: what makes vectors of items and judges them, above libkith. It links ICU, for
# Unicode, and zlib and LZMA, which packages of data are compressed with.
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibLZMA REQUIRED)

kith_sources(encode_sources src/json src/text/tokenizer src/text/chunk src/encode src/datasets src/judge
  src/mine src/store)
add_library(kith_encode SHARED ${encode_sources})
add_library(kith::encode ALIAS kith_encode)
set_target_properties(kith_encode PROPERTIES OUTPUT_NAME kith-encode EXPORT_NAME encode
  VERSION ${PROJECT_VERSION} SOVERSION 0 INSTALL_RPATH "$ORIGIN")
target_include_directories(kith_encode PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_include_directories(kith_encode SYSTEM PRIVATE ${eigen_include})
target_link_libraries(kith_encode PUBLIC kith PRIVATE ICU::uc ICU::i18n nlohmann_json::nlohmann_json
  ZLIB::ZLIB LibLZMA::LibLZMA)

# What tests/tokenizers/compare.sh runs; not part of the default build.
add_executable(compare_ids EXCLUDE_FROM_ALL tests/tokenizers/compare_ids.cc)
target_include_directories(compare_ids PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(compare_ids PRIVATE kith_encode)

# What tests/models/onnx.sh runs; neither.
add_executable(onnx_vectors EXCLUDE_FROM_ALL tests/models/onnx_vectors.cc)
target_include_directories(onnx_vectors PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(onnx_vectors PRIVATE kith_encode nlohmann_json::nlohmann_json)
