package io.mirante.etl.lifetime;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.hipparchus.exception.MathIllegalArgumentException;
import org.hipparchus.exception.MathRuntimeException;
import org.hipparchus.linear.CholeskyDecomposer;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.optim.InitialGuess;
import org.hipparchus.optim.MaxEval;
import org.hipparchus.optim.SimpleBounds;
import org.hipparchus.optim.nonlinear.scalar.GoalType;
import org.hipparchus.optim.nonlinear.scalar.ObjectiveFunction;
import org.hipparchus.optim.nonlinear.scalar.noderiv.BOBYQAOptimizer;
import org.jspecify.annotations.Nullable;

/**
 * The maximum of a likelihood over parameters above zero, on their logarithms, within bounds: by Newton's steps, damped as Levenberg
 * and Marquardt do, where derivatives are known and the steps settle, else by Powell's BOBYQA (2009), which needs none and ten times
 * as many evaluations. Nothing is drawn at random: the same function gives the same maximum.
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

    /** Newton's steps, those that were refused among them. */
    private static final int STEPS = 200;

    /** Farthest that one of them moves a logarithm. */
    private static final double FARTHEST = 2;

    private static final double FIRST_DAMPING = 1e-3;
    private static final double LEAST_DAMPING = 1e-9;

    /** With less damping than this a step is Newton's own. */
    private static final double NO_DAMPING = 1e-6;

    private static final double STILL = 1e-8;

    private static final double RELATIVE_SYMMETRY = 1e-9;

    /** Share of a value that rounding may take from it. */
    private static final double ROUNDING = 1e-14;

    private MaximumLikelihood() {}

    /**
     * A mean log-likelihood near some parameters.
     *
     * @param gradient by parameter
     * @param curvature second derivatives, by two parameters
     */
    record Near(double value, double[] gradient, double[][] curvature) {

        /** The same over logarithms of the parameters. */
        Near overLogs(double[] parameters) {
            int size = parameters.length;
            var slope = new double[size];
            var bend = new double[size][size];
            for (int i = 0; i < size; i++) {
                slope[i] = parameters[i] * gradient[i];
                for (int j = 0; j < size; j++) {
                    bend[i][j] = parameters[i] * parameters[j] * curvature[i][j];
                }
                bend[i][i] += slope[i];
            }
            return new Near(value, slope, bend);
        }
    }

    /**
     * As {@link #find}, of a likelihood whose derivatives are known.
     *
     * @param meanLogLikelihood of a customer
     */
    static Optional<Maximum> findBySlope(
            List<String> names, double[] start, Function<double[], Near> meanLogLikelihood) {
        return settled(start, meanLogLikelihood)
                .map(logs ->
                        new Maximum(
                                Arrays.stream(exp(logs)).boxed().toList(), atLimit(names, logs)))
                .or(() -> find(names, start, at -> meanLogLikelihood.apply(at).value()));
    }

    /** Where Newton's steps come to rest; empty where they do not. */
    private static Optional<double[]> settled(
            double[] start, Function<double[], Near> meanLogLikelihood) {
        double[] at = Arrays.stream(start).map(Math::log).toArray();
        var here = meanLogLikelihood.apply(start).overLogs(start);
        double damping = FIRST_DAMPING;
        for (int i = 0; i < STEPS && Double.isFinite(here.value); i++) {
            var next = stepped(at, here, damping);
            double moved = next == null ? Double.NaN : distance(at, next);
            if (moved <= STILL && damping <= NO_DAMPING) {
                return Optional.of(at);
            }
            var there =
                    next == null ? null : meanLogLikelihood.apply(exp(next)).overLogs(exp(next));
            if (next != null
                    && there != null
                    && there.value >= here.value - ROUNDING * Math.abs(here.value)) {
                at = next;
                here = there;
                damping = Math.max(LEAST_DAMPING, damping / 10);
            } else {
                damping *= 4;
            }
        }
        return Optional.empty();
    }

    /** A step uphill, no farther than to a bound; null where the function is no hill unless it is damped more. */
    private static double @Nullable [] stepped(double[] at, Near here, double damping) {
        int[] free =
                IntStream.range(0, at.length)
                        .filter(i -> !leads(at[i], here.gradient[i]))
                        .toArray();
        while (true) {
            var step = step(free, here, damping);
            if (step == null) {
                return null;
            }
            int[] inside = Arrays.stream(free).filter(i -> !leads(at[i], step[i])).toArray();
            if (inside.length == free.length) {
                return moved(at, step);
            }
            free = inside;
        }
    }

    /** Whether a parameter that is at a bound would leave it outwards. */
    private static boolean leads(double at, double direction) {
        return Math.abs(at) >= LIMIT && Math.signum(at) * direction > 0;
    }

    /** Newton's step over some parameters. */
    private static double @Nullable [] step(int[] free, Near here, double damping) {
        var step = new double[here.gradient.length];
        if (free.length == 0) {
            return step;
        }
        var matrix = new double[free.length][free.length];
        var slope = new double[free.length];
        for (int i = 0; i < free.length; i++) {
            slope[i] = here.gradient[free[i]];
            for (int j = 0; j < free.length; j++) {
                matrix[i][j] = -here.curvature[free[i]][free[j]];
            }
            matrix[i][i] += damping;
        }
        try {
            var solved =
                    new CholeskyDecomposer(RELATIVE_SYMMETRY, 0)
                            .decompose(MatrixUtils.createRealMatrix(matrix))
                            .solve(MatrixUtils.createRealVector(slope));
            for (int i = 0; i < free.length; i++) {
                step[free[i]] = solved.getEntry(i);
            }
            return step;
        } catch (MathIllegalArgumentException e) {
            return null;
        }
    }

    /** The whole step is shortened, so that it keeps its direction along a ridge. */
    private static double[] moved(double[] at, double[] step) {
        double share = 1;
        for (int i = 0; i < at.length; i++) {
            double way = Math.abs(step[i]);
            share = way > FARTHEST ? Math.min(share, FARTHEST / way) : share;
            double room = LIMIT - Math.signum(step[i]) * at[i];
            share = way > room ? Math.min(share, room / way) : share;
        }
        var next = at.clone();
        for (int i = 0; i < at.length; i++) {
            next[i] = Math.clamp(at[i] + share * step[i], -LIMIT, LIMIT);
            if (LIMIT - Math.abs(next[i]) < STILL) {
                next[i] = Math.copySign(LIMIT, next[i]);
            }
        }
        return next;
    }

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
