# The kith command: one file a verb in src/cli.
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

# What `kith papers` and the module of reproductions that it loads share.
kith_sources(papers_common_sources papers/common)
add_library(kith-papers-common STATIC ${papers_common_sources})
target_include_directories(kith-papers-common PUBLIC
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
set_target_properties(kith-papers-common PROPERTIES CXX_VISIBILITY_PRESET hidden)
target_link_libraries(kith-papers-common PUBLIC kith kith_encode fmt::fmt
  PRIVATE nlohmann_json::nlohmann_json)

kith_sources(tool_sources src/cli)
list(FILTER tool_sources EXCLUDE REGEX "/main\\.cc$")
add_library(kith-cli STATIC ${tool_sources})
target_include_directories(kith-cli PUBLIC ${PROJECT_SOURCE_DIR}/src PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(kith-cli PRIVATE KITH_VERSION="${PROJECT_VERSION}")
target_link_libraries(kith-cli PUBLIC kith kith_encode kith-papers-common CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json
  ${CMAKE_DL_LIBS})
add_executable(kith-tool src/cli/main.cc)
set_target_properties(kith-tool PROPERTIES OUTPUT_NAME kith)
target_link_libraries(kith-tool PRIVATE kith-cli)
