package io.mirante.etl.remote;

/** Where a source elsewhere has its rows; without credentials. */
public sealed interface Place permits S3Place, PostgresPlace {}
