package io.mirante.bench.demo;

import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/** The sub-command {@code demo}. */
public final class Demo {
    private Demo() {}

    /**
     * Runs the demo.
     *
     * @return exit code: 0 every stage produced what it should, 1 something did not, 2 the command line is wrong
     */
    public static int run(List<String> arguments, PrintStream out) {
        return run(arguments, out, LocalMesh.here());
    }

    static int run(List<String> arguments, PrintStream out, LocalMesh local) {
        DemoOptions options;
        try {
            options = DemoOptions.parse(arguments);
        } catch (IllegalArgumentException e) {
            out.println("mesh demo: " + e.getMessage());
            out.print(DemoOptions.USAGE);
            return 2;
        }
        URI wanted = options.url();
        URI url = wanted == null ? local.url() : wanted;
        String key = local.keyFor(url, options.key());
        Screen screen = new Screen(out, url.toString(), key);
        try (MeshClient mesh = new MeshClient(url, key)) {
            if (wanted == null) {
                local.ensureUp(mesh, screen);
            } else if (!mesh.ready()) {
                throw new MeshException("no ready mesh answers at " + url);
            }
            Checks checks = new Checks(screen);
            Path from = options.from();
            if (from != null) {
                new CdnowDemo(mesh, screen, checks, options).run(from);
            } else {
                Path state =
                        wanted == null || wanted.equals(local.url()) ? local.stateFile() : null;
                new ShopDemo(mesh, screen, checks, options).run(state);
            }
            return verdict(screen, checks);
        } catch (MeshException e) {
            screen.line("mesh demo: " + e.getMessage());
            return 1;
        }
    }

    private static int verdict(Screen screen, Checks checks) {
        screen.line("");
        if (checks.passed()) {
            screen.line("All " + checks.count() + " checks passed.");
            return 0;
        }
        screen.line(checks.failures().size() + " of " + checks.count() + " checks failed:");
        checks.failures().forEach(failure -> screen.line("  FAIL " + failure));
        return 1;
    }
}
