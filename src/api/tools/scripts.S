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
  .global faultline_dsym_sh_begin, faultline_dsym_sh_end
  .global faultline_dsym_ps1_begin, faultline_dsym_ps1_end
  .global faultline_lldb_begin, faultline_lldb_end
faultline_dsym_sh_begin:
  .incbin FAULTLINE_DSYM_SH
faultline_dsym_sh_end:
faultline_dsym_ps1_begin:
  .incbin FAULTLINE_DSYM_PS1
faultline_dsym_ps1_end:
faultline_lldb_begin:
  .incbin FAULTLINE_LLDB
faultline_lldb_end:
  .section .note.GNU-stack,"",%progbits
