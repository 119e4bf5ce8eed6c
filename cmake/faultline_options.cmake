# Compiler settings that every target shares. The presets choose among them.

option(FAULTLINE_WERROR "Warnings are errors" ON)
option(FAULTLINE_FUZZ "Build the fuzz targets with libFuzzer (clang only)" OFF)
set(FAULTLINE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(faultline_flags INTERFACE)
target_include_directories(faultline_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(faultline_flags INTERFACE
  -Wall -Wextra -Wconversion -ffunction-sections -fdata-sections -fno-omit-frame-pointer)
# The same flags for objects, so that ccache hits across checkouts.
target_compile_options(faultline_flags INTERFACE "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
target_link_options(faultline_flags INTERFACE -Wl,--gc-sections -Wl,--as-needed)
target_link_libraries(faultline_flags INTERFACE Threads::Threads)

if(FAULTLINE_WERROR)
  target_compile_options(faultline_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own library headers, and an `if` before EXPECT_TRUE, falsely.
  target_compile_options(faultline_flags INTERFACE
    -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized
    -Wno-dangling-pointer -Wno-stringop-overread -Wno-dangling-else
    -fpch-preprocess)  # as ccache wants it
endif()
if(FAULTLINE_SANITIZE)
  target_compile_options(faultline_flags INTERFACE
    -fsanitize=${FAULTLINE_SANITIZE} -fno-sanitize-recover=all)
  if(FAULTLINE_SANITIZE MATCHES "undefined")
    # Both cost time in every file; the address sanitizer sees null and most of object-size as well.
    target_compile_options(faultline_flags INTERFACE -fno-sanitize=null,object-size)
  endif()
  target_link_options(faultline_flags INTERFACE -fsanitize=${FAULTLINE_SANITIZE})
endif()
if(FAULTLINE_FUZZ)
  target_compile_options(faultline_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}"
    CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1
    CCACHE_DEPEND=1  # a file that is not known is read once, not preprocessed first
    "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
