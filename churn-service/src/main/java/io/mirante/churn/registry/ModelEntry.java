package io.mirante.churn.registry;

import io.mirante.churn.model.ChurnModel;

/** A model ready to score, with the names it has in answers. */
public record ModelEntry(String id, String kind, int version, ChurnModel model) {}
