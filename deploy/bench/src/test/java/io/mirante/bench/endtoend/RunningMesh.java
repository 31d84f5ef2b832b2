package io.mirante.bench.endtoend;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests one mesh for the whole run: started when the first asks for it, stopped after the last. */
public final class RunningMesh implements ParameterResolver {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(RunningMesh.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == MeshUnderTest.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return context.getRoot()
                .getStore(NAMESPACE)
                .computeIfAbsent(
                        MeshUnderTest.class,
                        ignored -> {
                            MeshUnderTest mesh = new MeshUnderTest("mesh");
                            mesh.up();
                            return mesh;
                        },
                        MeshUnderTest.class);
    }
}
