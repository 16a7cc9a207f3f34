# What `kith bench peers` needs: the data sets' maker, and the peers as a module that the tool loads.
# Neither is part of the default build.
find_package(BLAS REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(OpenMP REQUIRED)
find_package(faiss REQUIRED)

file(GLOB make_data_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/data/*.cc)
list(FILTER make_data_sources EXCLUDE REGEX "_test\\.cc$")
add_executable(kith-make-data EXCLUDE_FROM_ALL bench/make_data.cc ${make_data_sources})
target_include_directories(kith-make-data PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
# g++ 12 sees uninitialised values inside its own AVX-512 header.
target_compile_options(kith-make-data PRIVATE -O3 -march=native -Wno-maybe-uninitialized)
target_link_libraries(kith-make-data PRIVATE kith kith_encode CLI11::CLI11 Eigen3::Eigen)

# USearch is header-only, in its npm package.
set(usearch_version 2.25.3)
set(usearch_sha512
  mvg6/hBVlx/4dQxa9Yj2ED/wiOhRM6GOw6vRRT+/4H2uYmXGcOO/v9fbf36UA6ycIbaSNzbdLXtbVBvd5JLcfA==)
set(usearch_folder ${PROJECT_SOURCE_DIR}/.cache/npm/usearch-${usearch_version})
set(usearch_package ${usearch_folder}/package.json)
add_custom_command(OUTPUT ${usearch_package}
  COMMAND scripts/fetch_npm.sh usearch ${usearch_version} ${usearch_sha512}
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)

file(GLOB peers_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/peers/*.cc)
set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/peers/usearch.cc
  PROPERTIES OBJECT_DEPENDS ${usearch_package} COMPILE_OPTIONS -Wno-uninitialized)  # of intrinsics
add_library(kith-peers MODULE EXCLUDE_FROM_ALL bench/peers_module.cc ${peers_sources})
target_include_directories(kith-peers PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
target_include_directories(kith-peers SYSTEM PRIVATE
  ${usearch_folder}/include ${usearch_folder}/numkong/include)
target_compile_options(kith-peers PRIVATE -O3 -march=native)
set_target_properties(kith-peers PROPERTIES CXX_VISIBILITY_PRESET hidden)
target_link_options(kith-peers PRIVATE -Wl,-z,defs)
target_link_libraries(kith-peers PRIVATE kith faiss BLAS::BLAS OpenMP::OpenMP_CXX)
