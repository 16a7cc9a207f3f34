# libkith-learn: what trains models, on LibTorch. The tool loads it only for verbs that learn, since
# LibTorch takes half a second to start.
find_package(Torch REQUIRED)
find_package(tomlplusplus REQUIRED)
find_library(GLOO gloo REQUIRED)          # what several processes talk by
find_library(OPENBLAS openblas REQUIRED)  # LibTorch's BLAS; linked to set its threads

kith_sources(learn_sources src/learn src/learn/nn src/learn/loss src/learn/weights src/learn/train
  src/learn/pretrain src/learn/relevance src/learn/codec)
add_library(kith_learn SHARED ${learn_sources})
set_target_properties(kith_learn PROPERTIES OUTPUT_NAME kith-learn VERSION ${PROJECT_VERSION} SOVERSION 0
  INSTALL_RPATH "$ORIGIN" DEFINE_SYMBOL "")
target_include_directories(kith_learn PUBLIC ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(kith_learn PUBLIC kith kith_encode torch nlohmann_json::nlohmann_json fmt::fmt
  tomlplusplus::tomlplusplus PRIVATE ${OPENBLAS} ${GLOO})

# Reading torch/torch.h takes 17 s; files that include learn/torch.h share one reading of it. What
# ccache keeps of such files depends on their content alone.
target_precompile_headers(kith_learn PRIVATE ${PROJECT_SOURCE_DIR}/src/learn/torch.h)
target_compile_options(kith_learn PRIVATE -fpch-preprocess)
if(CCACHE)
  set_target_properties(kith_learn PROPERTIES CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${CCACHE}")
endif()

# Its tests are compiled as the library is, with the same definitions, so that they share what was
# precompiled.
function(kith_learn_tests)
  set(files "")
  foreach(folder IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*_test.cc)
    list(APPEND files ${found})
  endforeach()
  add_library(learn_tests OBJECT ${files})
  target_link_libraries(learn_tests PUBLIC kith_learn GTest::gtest GTest::gmock rapidcheck
    fmt::fmt tomlplusplus::tomlplusplus)
  target_include_directories(learn_tests PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(learn_tests PRIVATE -fpch-preprocess)
  target_precompile_headers(learn_tests REUSE_FROM kith_learn)
  get_target_property(launcher kith_learn CXX_COMPILER_LAUNCHER)
  if(launcher)
    set_target_properties(learn_tests PROPERTIES CXX_COMPILER_LAUNCHER "${launcher}")
  endif()
  add_executable(learn_test $<TARGET_OBJECTS:learn_tests>)
  target_link_libraries(learn_test PRIVATE kith_learn GTest::gtest GTest::gmock rapidcheck
    ${OPENBLAS})
  gtest_discover_tests(learn_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600
    ENVIRONMENT "OMP_WAIT_POLICY=PASSIVE")
endfunction()
