/** The OTLP exporters' `timeoutMillis` where all is to succeed, however busy the machine: their own default. */
export const PATIENT_MILLIS = 10_000;
/** And where faults are to be noticed in seconds: mostly too short for the exporters' own first retry after about 1 s. */
export const IMPATIENT_MILLIS = 1_000;
