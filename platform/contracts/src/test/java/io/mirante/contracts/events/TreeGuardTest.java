package io.mirante.contracts.events;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

class TreeGuardTest {

    @Test
    void countsTheBytesOfCompactJson() {
        for (long seed = 1; seed <= 3_000; seed++) {
            var tree = new RandomTrees(seed).object();
            int size = JsonMapper.shared().writeValueAsBytes(tree).length;
            assertThat(TreeGuard.check(tree, 10, size)).as("seed %d", seed).isNull();
            assertThat(TreeGuard.check(tree, 10, size - 1))
                    .as("seed %d", seed)
                    .extracting(FieldError::code)
                    .isEqualTo(TreeGuard.TOO_LARGE);
        }
    }

    @Test
    void pointsAtTheFieldWhateverItsName() {
        var tree = JsonNodeFactory.instance.objectNode();
        tree.putObject("a/b~c").putArray("list").add(1).add("x\u0000");
        var fault = TreeGuard.check(tree, 10, 1_000);
        assertThat(fault)
                .isEqualTo(
                        new FieldError(
                                "/a~1b~0c/list/1",
                                "nul_character",
                                "1 holds the character U+0000; remove it"));
        assertThat(tree.at(fault.pointer()).stringValue()).isEqualTo("x\u0000");
    }
}
