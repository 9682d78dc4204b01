# turnout_embed(TARGET SYMBOL FILE): the bytes of FILE in TARGET, as
#   extern "C" const char SYMBOL[];  extern "C" const std::uint64_t SYMBOL_size;
enable_language(ASM)
function(turnout_embed target symbol file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.s)
  file(CONFIGURE OUTPUT ${source} CONTENT [=[
    .section .rodata
    .global @symbol@, @symbol@_size
@symbol@:
    .incbin "@file@"
@symbol@_end:
    .byte 0
    .balign 8
@symbol@_size:
    .quad @symbol@_end - @symbol@
    .section .note.GNU-stack, "", %progbits
]=] @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
