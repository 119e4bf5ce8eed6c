/* The schemas of docs/protocols/schema, embedded as they are: see schemas.cc. */
  .section .rodata
  .global faultline_v4_request_begin, faultline_v4_request_end
  .global faultline_v4_answer_begin, faultline_v4_answer_end
  .global faultline_v5_request_begin, faultline_v5_request_end
  .global faultline_v5_answer_begin, faultline_v5_answer_end
faultline_v4_request_begin:
  .incbin FAULTLINE_V4_REQUEST
faultline_v4_request_end:
faultline_v4_answer_begin:
  .incbin FAULTLINE_V4_ANSWER
faultline_v4_answer_end:
faultline_v5_request_begin:
  .incbin FAULTLINE_V5_REQUEST
faultline_v5_request_end:
faultline_v5_answer_begin:
  .incbin FAULTLINE_V5_ANSWER
faultline_v5_answer_end:
  .section .note.GNU-stack,"",%progbits
