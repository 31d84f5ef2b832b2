package io.mirante.etl.lifetime;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Customers who behave exactly as the models say, the same for a seed. */
final class Shop {
    private final Random random;

    Shop(long seed) {
        random = new Random(seed);
    }

    /**
     * A customer's history and what came after.
     *
     * @param later purchases within the horizon after the history's end
     */
    record Life(PurchaseHistory history, int later) {}

    /** Histories of ages spread evenly over [oldest / 2, oldest], and the horizon after it. */
    List<Life> lives(int count, BgNbd truth, double oldest, double horizon) {
        var lives = new ArrayList<Life>();
        for (int i = 0; i < count; i++) {
            double rate = gamma(truth.r()) / truth.alpha();
            double leave = gamma(truth.a());
            double chance = leave / (leave + gamma(truth.b()));
            double age = oldest * (1 + random.nextDouble()) / 2;
            int frequency = 0;
            int later = 0;
            double recency = 0;
            double time = wait(rate);
            while (time <= age + horizon) {
                if (time <= age) {
                    frequency++;
                    recency = time;
                } else {
                    later++;
                }
                if (random.nextDouble() < chance) {
                    break;
                }
                time += wait(rate);
            }
            lives.add(new Life(new PurchaseHistory(frequency, recency, age), later));
        }
        return lives;
    }

    List<PurchaseHistory> histories(int count, BgNbd truth, double oldest) {
        return lives(count, truth, oldest, 0).stream().map(Life::history).toList();
    }

    Spending spending(int purchases, GammaGamma truth) {
        if (purchases == 0) {
            return Spending.none();
        }
        double rate = gamma(truth.q()) / truth.v();
        return new Spending(purchases, gamma(truth.p() * purchases) / rate / purchases);
    }

    private double wait(double rate) {
        return -Math.log(1 - random.nextDouble()) / rate;
    }

    /** Marsaglia and Tsang 2000. */
    private double gamma(double shape) {
        if (shape < 1) {
            return gamma(shape + 1) * Math.pow(1 - random.nextDouble(), 1 / shape);
        }
        double d = shape - 1 / 3.0;
        double c = 1 / Math.sqrt(9 * d);
        while (true) {
            double z = random.nextGaussian();
            double v = Math.pow(1 + c * z, 3);
            if (v > 0
                    && Math.log(1 - random.nextDouble())
                            < z * z / 2 + d - d * v + d * Math.log(v)) {
                return d * v;
            }
        }
    }
}
