# The reproductions of published methods: papers/SLUG.cc, one file each, in a module that
# `kith papers` loads, compiled for this very processor like the peers that some stand beside.
find_package(BLAS REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(OpenMP REQUIRED)
find_package(faiss REQUIRED)

file(GLOB papers_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/papers/*.cc)
add_library(kith-papers MODULE papers/common/papers_module.cc ${papers_sources})
# g++ 12 sees uninitialised values inside its own AVX-512 header.
target_compile_options(kith-papers PRIVATE -O3 -march=native -Wno-maybe-uninitialized)
set_target_properties(kith-papers PROPERTIES CXX_VISIBILITY_PRESET hidden)
target_link_options(kith-papers PRIVATE -Wl,-z,defs)
target_link_libraries(kith-papers PRIVATE kith-papers-common kith faiss BLAS::BLAS
  OpenMP::OpenMP_CXX Eigen3::Eigen)
