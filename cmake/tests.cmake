# One test program a folder; tests sit beside their code as NAME_test.cc.
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
include(GoogleTest)

# rapidcheck's package gives no GoogleTest extras target; its headers are enough.
function(kith_test_program name)
  set(files "")
  foreach(folder IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*_test.cc)
    list(APPEND files ${found})
  endforeach()
  if(NOT KITH_BUILD_LEARN)  # verbs that load libkith-learn
    list(FILTER files EXCLUDE REGEX "_learn_test\\.cc$")
  endif()
  if(KITH_SANITIZE)  # sanitizers take memory of their own
    list(FILTER files EXCLUDE REGEX larger_than_memory)
  endif()
  if(files)
    add_executable(${name} ${files})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE kith GTest::gtest GTest::gmock GTest::gtest_main rapidcheck)
    target_compile_definitions(${name} PRIVATE KITH_TEST_FILES="${PROJECT_SOURCE_DIR}/tests/files/")
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
  endif()
endfunction()

foreach(folder base simd formats codec text index face)
  kith_test_program(${folder}_test src/${folder})
endforeach()
kith_test_program(encode_test src/json src/text/tokenizer src/text/chunk src/encode src/store)
kith_test_program(judge_test src/datasets src/judge src/mine)
foreach(program encode_test judge_test)
  if(TARGET ${program})
    target_link_libraries(${program} PRIVATE kith_encode ICU::uc ICU::i18n
      nlohmann_json::nlohmann_json ZLIB::ZLIB Eigen3::Eigen)
  endif()
endforeach()
if(KITH_BUILD_LEARN)
  kith_learn_tests(src/learn src/learn/nn src/learn/loss src/learn/weights src/learn/train
    src/learn/pretrain src/learn/relevance src/learn/codec)
endif()
if(KITH_BUILD_TOOL)
  kith_test_program(cli_test src/cli)
  if(TARGET cli_test)
    target_link_libraries(cli_test PRIVATE kith-cli)
    add_dependencies(cli_test kith-tool)
    if(KITH_BUILD_LEARN)
      add_dependencies(cli_test kith_learn)
    endif()
    target_compile_definitions(cli_test PRIVATE KITH_TOOL="$<TARGET_FILE:kith-tool>")
  endif()
endif()

# What reproductions share, and where the module is built, one of them through the tool.
if(KITH_BUILD_TOOL)
  if(TARGET kith-papers)
    set(papers_peers papers/peers)
  endif()
  kith_test_program(papers_test papers/common ${papers_peers})
  target_link_libraries(papers_test PRIVATE kith-papers-common nlohmann_json::nlohmann_json)
  if(TARGET kith-papers)
    target_link_libraries(papers_test PRIVATE kith-papers-peers)
    add_dependencies(papers_test kith-tool kith-papers)
    if(KITH_BUILD_LEARN)
      add_dependencies(papers_test kith_learn)
    endif()
    target_compile_definitions(papers_test PRIVATE KITH_TOOL="$<TARGET_FILE:kith-tool>")
  endif()
endif()

# What makes the data sets of kith bench peers.
if(KITH_BUILD_PEERS)
  kith_test_program(bench_test bench/data)
  target_sources(bench_test PRIVATE ${make_data_sources})
  target_compile_options(bench_test PRIVATE -march=native -Wno-maybe-uninitialized)
  target_link_libraries(bench_test PRIVATE kith_encode Eigen3::Eigen)
endif()

# Programs and scripts that look at kith from outside.
if(KITH_BUILD_TOOL AND NOT KITH_SANITIZE)
  add_test(NAME Installed.ProgramsInCAndCppLinkAndRun
    COMMAND ${PROJECT_SOURCE_DIR}/tests/install/run.sh ${PROJECT_BINARY_DIR})
endif()

# The kernels on other processors than this one, under qemu.
if(KITH_BUILD_TOOL AND NOT KITH_SANITIZE AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_test(NAME OldProcessors.RunKithWithoutAnIllegalInstruction
    COMMAND ${PROJECT_SOURCE_DIR}/tests/old_cpu.sh ${PROJECT_BINARY_DIR})
  add_test(NAME Neon.ComputesWhatTheReferenceDoes
    COMMAND ${PROJECT_SOURCE_DIR}/tests/neon/run.sh ${PROJECT_BINARY_DIR})
  set_tests_properties(OldProcessors.RunKithWithoutAnIllegalInstruction
    Neon.ComputesWhatTheReferenceDoes PROPERTIES LABELS qemu TIMEOUT 900)
endif()

# Full disks, kills, interrupts: their timing is that of the release build.
if(KITH_BUILD_TOOL AND NOT KITH_SANITIZE)
  if(KITH_BUILD_LEARN)
    set(kill_during_train kill_during_train)
  endif()
  foreach(script full_disk kill_during_embed kill_during_ingest kill_during_save kill_during_tiers ${kill_during_train}
      interrupted unwritable_output)
    add_test(NAME Robustness.${script}
      COMMAND ${PROJECT_SOURCE_DIR}/tests/robustness/${script}.sh $<TARGET_FILE:kith-tool>)
    set_tests_properties(Robustness.${script} PROPERTIES TIMEOUT 300)
  endforeach()
endif()
