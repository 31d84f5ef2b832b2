package io.mirante.bench;

import io.mirante.bench.analytics.AnalyticsBench;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.demo.Demo;
import io.mirante.bench.etl.EtlBench;
import io.mirante.bench.etl.EtlRun;
import io.mirante.bench.ingest.FairnessBench;
import io.mirante.bench.ingest.IngestBench;
import io.mirante.bench.start.StartBench;
import io.mirante.bench.sustained.SustainedBench;
import io.mirante.bench.token.TokenBench;
import java.util.Arrays;
import java.util.List;

/** What {@code ./mesh demo}, {@code ./mesh etl} and {@code ./mesh bench NAME} run. */
public final class Bench {
    private static final String USAGE =
            "usage: ./mesh demo [options] | ./mesh etl run [options] | ./mesh bench start|token|ingest|fairness|sustained|etl|analytics [options]";

    private Bench() {}

    public static void main(String[] arguments) {
        int code;
        try {
            code = run(Arrays.asList(arguments));
        } catch (MeshException e) {
            System.err.println("mesh: " + e.getMessage());
            code = 1;
        }
        System.exit(code);
    }

    static int run(List<String> arguments) {
        if (arguments.isEmpty()) {
            System.out.println(USAGE);
            return 2;
        }
        List<String> rest = arguments.subList(1, arguments.size());
        String name = arguments.getFirst();
        if (name.equals("bench")) {
            return !rest.isEmpty() && rest.getFirst().equals("etl")
                    ? EtlBench.run(rest.subList(1, rest.size()), System.out)
                    : run(rest);
        }
        return switch (name) {
            case "demo" -> Demo.run(rest, System.out);
            case "etl" -> EtlRun.run(rest, System.out);
            case "start" -> StartBench.run(rest, System.out);
            case "ingest" -> IngestBench.run(rest, System.out);
            case "fairness" -> FairnessBench.run(rest, System.out);
            case "sustained" -> SustainedBench.run(rest, System.out);
            case "analytics" -> AnalyticsBench.run(rest, System.out);
            case "token" -> TokenBench.run(System.out);
            default -> {
                System.out.println("mesh bench: there is no bench \"" + name + "\"");
                System.out.println(USAGE);
                yield 2;
            }
        };
    }
}
