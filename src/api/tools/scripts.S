/* The scripts that are served under /tools/, embedded as they are: see tools.cc. */
  .section .rodata
  .global faultline_upload_sh_begin, faultline_upload_sh_end
  .global faultline_upload_ps1_begin, faultline_upload_ps1_end
faultline_upload_sh_begin:
  .incbin FAULTLINE_UPLOAD_SH
faultline_upload_sh_end:
faultline_upload_ps1_begin:
  .incbin FAULTLINE_UPLOAD_PS1
faultline_upload_ps1_end:
  .section .note.GNU-stack,"",%progbits
