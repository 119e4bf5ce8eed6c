# faultline_lazy_library(NAME PACKAGE imported-target SONAME libx.so.N FUNCTIONS name…)
#
# A library that is loaded when one of its functions is first called, for what most runs of the
# program never use: loading it at every start costs more than a small command does (figures:
# docs/decisions/lazy-libraries.md). Sources include its headers and call it as ever.
#
# Makes the static library NAME: for each function, a jump through a slot that at first leads to
# base/lazy_library.cc. A function that is missing from the list is an undefined symbol at link
# time. On CPUs other than x86-64 NAME is the package itself.
function(faultline_lazy_library name)
  cmake_parse_arguments(arg "" "PACKAGE;SONAME" "FUNCTIONS" ${ARGN})
  if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_PACKAGE})
    return()
  endif()

  set(LAZY_JUMPS "")
  set(LAZY_SLOTS "")
  set(LAZY_NAMES "")
  set(index 0)
  foreach(function IN LISTS arg_FUNCTIONS)
    string(APPEND LAZY_JUMPS "lazy_function ${function}, ${index}\n")
    string(APPEND LAZY_SLOTS "  .quad .Lfirst_${index}\n")
    string(APPEND LAZY_NAMES "  .quad .Lname_${index}\n")
    math(EXPR index "${index} + 1")
  endforeach()
  set(LAZY_SONAME "${arg_SONAME}")
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}.S")
  configure_file("${CMAKE_SOURCE_DIR}/cmake/lazy_library.S.in" "${source}" @ONLY)

  add_library(${name} STATIC "${source}")
  target_link_libraries(${name} PUBLIC fl_base ${CMAKE_DL_LIBS})
  # The package's target is known in this directory only; what it says is not.
  foreach(property IN ITEMS INCLUDE_DIRECTORIES COMPILE_OPTIONS COMPILE_DEFINITIONS)
    get_target_property(value ${arg_PACKAGE} INTERFACE_${property})
    if(value)
      set_property(TARGET ${name} PROPERTY INTERFACE_${property} "${value}")
    endif()
  endforeach()
endfunction()
