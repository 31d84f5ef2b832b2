package io.mirante.etl.lifetime;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.hipparchus.exception.MathRuntimeException;
import org.hipparchus.optim.InitialGuess;
import org.hipparchus.optim.MaxEval;
import org.hipparchus.optim.SimpleBounds;
import org.hipparchus.optim.nonlinear.scalar.GoalType;
import org.hipparchus.optim.nonlinear.scalar.ObjectiveFunction;
import org.hipparchus.optim.nonlinear.scalar.noderiv.BOBYQAOptimizer;

/**
 * The maximum of a likelihood over parameters above zero, by Powell's BOBYQA (2009) on their logarithms. It needs no
 * derivatives, has bounds, and draws nothing at random: the same function gives the same maximum.
 */
final class MaximumLikelihood {
    /** How far a parameter goes either way, once time and value are brought to a mean of about 1. */
    private static final double LIMIT = Math.log(1e4);

    private static final double NEAR_LIMIT = 0.01;
    private static final double FIRST_RADIUS = 0.5;
    private static final double LAST_RADIUS = 1e-7;
    private static final int EVALUATIONS = 5_000;
    private static final int ROUNDS = 8;

    /** Change of the mean log-likelihood and of any logarithm that a further round may bring: far below a digit shown. */
    private static final double SETTLED = 1e-11;

    private static final double STANDING = 1e-5;

    private MaximumLikelihood() {}

    /**
     * @param parameters above 0
     * @param atLimit names of those within 1 % of 10⁻⁴ or 10⁴
     */
    record Maximum(List<Double> parameters, SortedSet<String> atLimit) {}

    /**
     * Begins again from each maximum until it stays where it is, since one round may stop early on a long ridge.
     *
     * @param names one a parameter
     * @param start within [10⁻⁴, 10⁴] each
     * @param meanLogLikelihood of a customer, not of all, so that tolerances do not hang on their number
     * @return empty where it does not settle
     */
    static Optional<Maximum> find(
            List<String> names, double[] start, ToDoubleFunction<double[]> meanLogLikelihood) {
        double[] at = Arrays.stream(start).map(Math::log).toArray();
        double best = meanLogLikelihood.applyAsDouble(start);
        try {
            for (int round = 0; round < ROUNDS; round++) {
                double[] next = climb(at, meanLogLikelihood);
                double reached = meanLogLikelihood.applyAsDouble(exp(next));
                boolean settled = reached - best <= SETTLED || distance(at, next) <= STANDING;
                if (reached >= best) {
                    at = next;
                    best = reached;
                }
                if (settled && Double.isFinite(best)) {
                    return Optional.of(
                            new Maximum(
                                    Arrays.stream(exp(at)).boxed().toList(), atLimit(names, at)));
                }
            }
        } catch (MathRuntimeException e) {
            // Too many evaluations, or a step that the quadratic model cannot take.
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static double[] climb(double[] from, ToDoubleFunction<double[]> meanLogLikelihood) {
        int size = from.length;
        var lower = new double[size];
        var upper = new double[size];
        Arrays.fill(lower, -LIMIT);
        Arrays.fill(upper, LIMIT);
        return new BOBYQAOptimizer((size + 1) * (size + 2) / 2, FIRST_RADIUS, LAST_RADIUS)
                .optimize(
                        new MaxEval(EVALUATIONS),
                        GoalType.MAXIMIZE,
                        new InitialGuess(from),
                        new SimpleBounds(lower, upper),
                        new ObjectiveFunction(logs -> meanLogLikelihood.applyAsDouble(exp(logs))))
                .getPoint();
    }

    private static SortedSet<String> atLimit(List<String> names, double[] logs) {
        var limited = new TreeSet<String>();
        for (int i = 0; i < logs.length; i++) {
            if (Math.abs(logs[i]) > LIMIT - NEAR_LIMIT) {
                limited.add(names.get(i));
            }
        }
        return limited;
    }

    private static double distance(double[] from, double[] to) {
        double largest = 0;
        for (int i = 0; i < from.length; i++) {
            largest = Math.max(largest, Math.abs(from[i] - to[i]));
        }
        return largest;
    }

    private static double[] exp(double[] logs) {
        return Arrays.stream(logs).map(Math::exp).toArray();
    }
}
