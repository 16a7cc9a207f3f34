# The reproductions of published methods: papers/SLUG.cc, one file each, in a module that
# `kith papers` loads, and the peers that they stand beside; compiled for this very processor.
find_package(BLAS REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(OpenMP REQUIRED)
find_package(faiss REQUIRED)
# g++ 12 sees uninitialised values inside its own AVX-512 header.
set(papers_options -O3 -march=native -Wno-maybe-uninitialized)

file(GLOB papers_peers_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/papers/peers/*.cc)
list(FILTER papers_peers_sources EXCLUDE REGEX "_test\\.cc$")
add_library(kith-papers-peers STATIC ${papers_peers_sources})
target_compile_options(kith-papers-peers PRIVATE ${papers_options})
set_target_properties(kith-papers-peers PROPERTIES CXX_VISIBILITY_PRESET hidden)
target_link_libraries(kith-papers-peers PUBLIC kith-papers-common kith faiss BLAS::BLAS
  OpenMP::OpenMP_CXX)

file(GLOB papers_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/papers/*.cc)
add_library(kith-papers MODULE papers/common/papers_module.cc ${papers_sources})
target_compile_options(kith-papers PRIVATE ${papers_options})
set_target_properties(kith-papers PROPERTIES CXX_VISIBILITY_PRESET hidden)
target_link_options(kith-papers PRIVATE -Wl,-z,defs)
target_link_libraries(kith-papers PRIVATE kith-papers-peers kith_encode Eigen3::Eigen)
