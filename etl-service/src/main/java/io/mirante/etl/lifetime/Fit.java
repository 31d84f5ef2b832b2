package io.mirante.etl.lifetime;

import java.util.Optional;
import java.util.SortedSet;

/** What became of fitting a model to customers: a model, or the reason why there is none. */
public sealed interface Fit<M> {

    /**
     * The maximum of the likelihood was found.
     *
     * @param customers whom the model was fitted to
     * @param logLikelihood of those customers, at the maximum, in the units they were given in
     * @param atLimit names of parameters that ran to the end of their range: the data do not tell how much customers differ
     *     in that respect. Expectations within what was observed still hold; the parameters mean nothing by themselves
     */
    record Fitted<M>(M model, long customers, double logLikelihood, SortedSet<String> atLimit)
            implements Fit<M> {}

    /**
     * There is no model.
     *
     * @param detail for people, with the numbers
     */
    record Refused<M>(Reason reason, String detail) implements Fit<M> {}

    /** Why there is no model. */
    enum Reason {
        /** Fewer customers than the smallest number that a model is made of. */
        TOO_FEW_CUSTOMERS,
        /** Nobody bought a second time. */
        NO_REPEATS,
        /** The search for the maximum did not settle. */
        NOT_CONVERGED,
        /** Values spread so widely that the mean over all customers is infinite. */
        NO_FINITE_MEAN
    }

    /** The model, where there is one. */
    default Optional<M> toOptional() {
        return switch (this) {
            case Fitted<M> fitted -> Optional.of(fitted.model);
            case Refused<M> _ -> Optional.empty();
        };
    }
}
