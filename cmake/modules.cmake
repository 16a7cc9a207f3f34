# Modules that libkith loads at run time, when a file needs them.
target_compile_definitions(kith PRIVATE KITH_VERSION="${PROJECT_VERSION}")

find_package(HDF5 COMPONENTS C)
if(HDF5_FOUND)
  add_library(kith-hdf5 MODULE ${PROJECT_SOURCE_DIR}/src/formats/hdf5_module.cc)
  target_include_directories(kith-hdf5 PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_include_directories(kith-hdf5 SYSTEM PRIVATE ${HDF5_INCLUDE_DIRS})
  target_compile_definitions(kith-hdf5 PRIVATE KITH_VERSION="${PROJECT_VERSION}" ${HDF5_DEFINITIONS})
  target_link_libraries(kith-hdf5 PRIVATE kith ${HDF5_C_LIBRARIES})
  # libkith looks for modules beside itself, then in the folder kith there.
  set_target_properties(kith-hdf5 PROPERTIES INSTALL_RPATH "$ORIGIN/..")
  install(TARGETS kith-hdf5 LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/kith)
else()
  message(STATUS "HDF5 not found (Debian: libhdf5-dev): kith will not read .hdf5 files")
endif()

# Nothing links a module, so what runs it must be told to wait for it. The programs are made later.
function(kith_order_modules)
  foreach(program kith-tool formats_test cli_test)
    if(TARGET kith-hdf5 AND TARGET ${program})
      add_dependencies(${program} kith-hdf5)
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL kith_order_modules)
