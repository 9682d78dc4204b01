# turnout_room(NAME [SOURCES file...] [DEPENDS target...])
# A room of the house: the static library turnout_NAME. Headers are included
# from the root of the project ("payments/money.hpp").
function(turnout_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(turnout_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(turnout_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(turnout_${name} PUBLIC ${ROOM_DEPENDS})
  turnout_warnings(turnout_${name})
endfunction()

# Warnings are errors for our own code; third-party headers are SYSTEM. The
# optimiser of g++ 12 raises false alarms about the standard library's strings
# and variants (GCC PR 105651, 105562): those are shown, or off, but no errors.
function(turnout_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
    -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-restrict
    -Werror -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=array-bounds)
endfunction()

# Tests say less about their conversions; the rest holds for them too. They are
# built once and run for seconds: optimising them fully would cost minutes.
function(turnout_test_warnings target)
  target_compile_options(${target} PRIVATE -O1
    -Wall -Wextra -Wno-missing-field-initializers -Wno-restrict
    -Werror -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=array-bounds)
endfunction()
