# What `kith bench peers` needs: the data sets' maker, and the peers as a module that the tool loads.
find_package(Eigen3 REQUIRED)
find_package(CLI11 REQUIRED)

file(GLOB make_data_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/data/*.cc)
list(FILTER make_data_sources EXCLUDE REGEX "_test\\.cc$")
add_executable(kith-make-data bench/make_data.cc ${make_data_sources})
target_include_directories(kith-make-data PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
# g++ 12 sees uninitialised values inside its own AVX-512 header.
target_compile_options(kith-make-data PRIVATE -O3 -march=native -Wno-maybe-uninitialized)
target_link_libraries(kith-make-data PRIVATE kith CLI11::CLI11 Eigen3::Eigen)
