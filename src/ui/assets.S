/* The bundled files of web/, embedded as they are: see assets.h. */
  .section .rodata
  .balign 16
  .global faultline_style_begin, faultline_style_end
  .global faultline_script_begin, faultline_script_end
  .global faultline_icon_begin, faultline_icon_end
faultline_style_begin:
  .incbin FAULTLINE_STYLE
faultline_style_end:
faultline_script_begin:
  .incbin FAULTLINE_SCRIPT
faultline_script_end:
faultline_icon_begin:
  .incbin FAULTLINE_ICON
faultline_icon_end:
  .section .note.GNU-stack,"",%progbits
