# Outside headers, parsed once instead of in every source file: build/PRESET/precompiled/NAME.h,
# and beside it what the compiler made of it. CMake's own way names the checkout's path in what
# ccache hashes; here every clone hits, since ccache takes NAME.h.pch.sum for the whole file.
# Programs are PIE and rooms are not, tests are not optimised and fuzz targets are, so each has its
# own. Rooms have none in the gcc build: there a header that forgot an #include
# is seen.

option(FAULTLINE_PRECOMPILED_ROOMS "Precompiled headers for the rooms too, not for tests alone" OFF)
# Those that wait for disks and peers: under a sanitizer, optimising them costs more than it gives.
set(FAULTLINE_PLAIN_ROOMS "" CACHE STRING "Rooms that are not optimised")
# Optimising a test takes longer than running it.
set(FAULTLINE_TEST_FLAGS -O0)

# faultline_precompile(NAME FLAGS HEADER…): made while configuring, again when a header, the
# compiler or a flag has changed.
function(faultline_precompile name flags_of_its_own)
  set(header "${CMAKE_BINARY_DIR}/precompiled/${name}.h")
  list(TRANSFORM ARGN REPLACE "(.+)" "#include <\\1>" OUTPUT_VARIABLE lines)
  list(JOIN lines "\n" text)
  file(CONFIGURE OUTPUT "${header}" CONTENT "${text}\n")
  get_target_property(options faultline_flags INTERFACE_COMPILE_OPTIONS)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  set(command "${CMAKE_CXX_COMPILER}" ${flags} ${options} -std=c++20 ${flags_of_its_own})
  set(made "${header}.gch")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND command -Xclang -fno-pch-timestamp -fpch-instantiate-templates)
    set(made "${header}.pch")
  endif()
  execute_process(COMMAND ${command} -E -x c++ "${header}" OUTPUT_VARIABLE preprocessed
    COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "${CMAKE_SOURCE_DIR}" "." key
    "${command};${CMAKE_CXX_COMPILER_VERSION};${preprocessed}")
  string(SHA256 key "${key}")
  set(before "")
  if(EXISTS "${made}" AND EXISTS "${made}.sum")
    file(READ "${made}.sum" before)
  endif()
  if(NOT before STREQUAL key)
    execute_process(COMMAND ${command} -x c++-header "${header}" -o "${made}"
      COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE "${made}.sum" "${key}")
  endif()
endfunction()

set(standard_headers algorithm array atomic charconv chrono condition_variable cstdint cstring
  filesystem functional map memory mutex optional set span string string_view thread unordered_map
  utility variant vector fmt/format.h)
faultline_precompile(tests "-fPIE;${FAULTLINE_TEST_FLAGS}" ${standard_headers} gmock/gmock.h
  gtest/gtest.h)
if(FAULTLINE_FUZZ)
  faultline_precompile(fuzzers -fPIE ${standard_headers})
endif()
if(FAULTLINE_PRECOMPILED_ROOMS)
  faultline_precompile(rooms -fPIC ${standard_headers})
  if(FAULTLINE_PLAIN_ROOMS)
    faultline_precompile(plain_rooms "-fPIC;-O0" ${standard_headers})
  endif()
endif()

# faultline_use_precompiled(TARGET NAME [FLAG…])
function(faultline_use_precompiled target name)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_BINARY_DIR}/precompiled/${name}.h>" ${ARGN})
endfunction()
