package io.mirante.bench.demo;

import io.mirante.bench.endtoend.MeshUnderTest;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs the demo against a mesh under test, as {@code ./mesh demo} does with that mesh's settings. */
public record DemoRun(int code, String output) {
    public static DemoRun of(MeshUnderTest mesh, List<String> arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int code =
                Demo.run(
                        arguments,
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new LocalMesh(MeshUnderTest.checkout(), mesh.environment()));
        return new DemoRun(code, out.toString(StandardCharsets.UTF_8));
    }
}
