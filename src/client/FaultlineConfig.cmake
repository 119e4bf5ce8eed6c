# find_package(Faultline) gives Faultline::client and Faultline::client_shared.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/FaultlineTargets.cmake")
foreach(kind IN ITEMS client client_shared)
  if(NOT TARGET Faultline::${kind})
    add_library(Faultline::${kind} ALIAS Faultline::faultline_${kind})
  endif()
endforeach()
