package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.etl.EtlSettings.Steps;
import io.mirante.etl.quality.Tables;
import io.mirante.etl.runs.StepLimit.Step;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StepLimitTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    @TempDir Path folder;

    private final StepLimit steps =
            new StepLimit(new Steps(SECOND, SECOND, SECOND, SECOND, SECOND));

    @ParameterizedTest
    @EnumSource(Step.class)
    void aStepThatWaitsForEverIsEndedAndNamed(Step step) {
        assertThatThrownBy(() ->
                        onItsThread(() ->
                                steps.within(
                                        step,
                                        () -> {
                                            waitForEver();
                                            return 0;
                                        })))
                .hasCauseInstanceOf(StepLimit.ExceededException.class)
                .cause()
                .hasMessageContaining("the step %s took longer than the 1s", step.setting())
                .hasMessageContaining("mirante.etl.steps.%s", step.setting());
    }

    private static void waitForEver() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aStatementThatTakesTooLongIsEndedAndItsTablesGoOn() throws Exception {
        var counted =
                onItsThread(() -> {
                    try (var tables = new Tables(folder.resolve("run.duckdb"));
                            var statement = tables.connection().createStatement()) {
                        steps.interrupts(tables);
                        assertThatThrownBy(() ->
                                        steps.within(
                                                Step.CHECK,
                                                () ->
                                                        statement.execute(
                                                                "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.range * b.range) % 7 = 3")))
                                .isInstanceOf(StepLimit.ExceededException.class);
                        assertThat(Thread.currentThread().isInterrupted()).isFalse();
                        try (var next = tables.connection().createStatement();
                                var rows = next.executeQuery("SELECT 42")) {
                            rows.next();
                            return rows.getInt(1);
                        }
                    }
                });
        assertThat(counted).isEqualTo(42);
    }

    @Test
    void aStepThatEndsInTimeAnswersAndFailsAsItself() throws Exception {
        assertThat(onItsThread(() -> steps.within(Step.LOAD, () -> 7))).isEqualTo(7);
        assertThatThrownBy(() ->
                        onItsThread(() ->
                                steps.within(
                                        Step.LOAD,
                                        () -> {
                                            throw new IllegalStateException("own");
                                        })))
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("own");
    }

    @Test
    void limitsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> new Steps(SECOND, SECOND, SECOND, SECOND, Duration.ofHours(1)))
                .hasMessageContaining("mirante.etl.steps.load must be 1 second to 30 minutes");
        assertThatThrownBy(() -> new Steps(Duration.ZERO, SECOND, SECOND, SECOND, SECOND))
                .hasMessageContaining("mirante.etl.steps.fetch");
        assertThatThrownBy(() -> new Steps(SECOND, Duration.ofHours(7), SECOND, SECOND, SECOND))
                .hasMessageContaining("mirante.etl.steps.check must");
    }

    private static <T> T onItsThread(Callable<T> work)
            throws InterruptedException, ExecutionException {
        var task = new FutureTask<>(work);
        Thread.ofVirtual().start(task);
        return task.get();
    }
}
