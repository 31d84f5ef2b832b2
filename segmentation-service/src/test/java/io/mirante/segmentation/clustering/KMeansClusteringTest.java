package io.mirante.segmentation.clustering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.mirante.contracts.Json;
import io.mirante.segmentation.clustering.KMeansClustering.ImpossibleException;
import io.mirante.segmentation.clustering.KMeansClustering.Settings;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KMeansClusteringTest {

    private static final Settings CHOOSE = new Settings(null, 2, 8, null, 1);

    @Test
    void findsPlantedClustersAndHowManyThereAre() throws Exception {
        var users = planted(3, 60, 17);

        var model = KMeansClustering.fit("m", users, CHOOSE);

        assertThat(model.k()).isEqualTo(3);
        assertThat(model.silhouette()).isGreaterThan(0.6);
        assertThat(model.tried()).hasSize(7);
        assertThat(model.sizes()).containsExactly(60, 60, 60);
        var clusterOf = new HashMap<String, Integer>();
        for (var user : users) {
            var planted = user.userId().substring(0, user.userId().indexOf('-'));
            int cluster = model.place(user.features()).cluster();
            assertThat(clusterOf.computeIfAbsent(planted, p -> cluster)).isEqualTo(cluster);
        }
        assertThat(clusterOf.values()).doesNotHaveDuplicates();
    }

    @Test
    void sameUsersAndSeedGiveTheSameModelWhateverTheirOrder() throws Exception {
        var users = new ArrayList<>(planted(4, 50, 3));
        var one = KMeansClustering.fit("m", users, CHOOSE);
        Collections.shuffle(users, new Random(5));

        assertThat(KMeansClustering.fit("m", users, CHOOSE)).isEqualTo(one);
        var other = new ArrayList<>(users);
        other.set(0, user("0-0", Map.of("spend", 1.0, "visits", 2.0)));
        assertThat(KMeansClustering.fit("m", other, CHOOSE).inputHash())
                .isNotEqualTo(one.inputHash());
    }

    @Test
    void inertiaIsTheSumOfSquaredDistancesToTheNearestCentroid() throws Exception {
        var users = planted(3, 40, 9);

        var model = KMeansClustering.fit("m", users, new Settings(5, 2, 8, null, 1));

        double sum =
                users.stream()
                        .mapToDouble(u -> Math.pow(model.place(u.features()).distance(), 2))
                        .sum();
        assertThat(model.inertia()).isCloseTo(sum, within(1e-6));
        assertThat(model.k()).isEqualTo(5);
    }

    @Test
    void aMissingValueCountsAsTheMeanAndRareOrConstantFeaturesAreLeftOut() throws Exception {
        var users = new ArrayList<UserVector>();
        for (var user : planted(2, 30, 4)) {
            var features = new HashMap<>(user.features());
            features.put("constant", 7.0);
            if (user.userId().endsWith("-1")) {
                features.put("rare", 3.0);
            }
            users.add(user(user.userId(), features));
        }

        var model = KMeansClustering.fit("m", users, CHOOSE);

        assertThat(model.features()).containsExactly("spend", "visits");
        assertThat(model.warnings())
                .anyMatch(w -> w.contains("constant"))
                .anyMatch(w -> w.contains("rare"));
        var mean = model.point(Map.of());
        assertThat(mean).containsOnly(0.0);
        assertThat(model.place(Map.of()).cluster()).isBetween(0, 1);
    }

    @Test
    void labelsSayInWordsWhatSetsAClusterApart() throws Exception {
        var model = KMeansClustering.fit("m", planted(2, 60, 17), new Settings(2, 2, 8, null, 1));

        assertThat(model.labels()).doesNotHaveDuplicates();
        assertThat(String.join(" ", model.labels())).contains("high").contains("low");
        assertThat(model.defining(0)).isNotEmpty();
        assertThat(ClusterModel.label(List.of("a", "b"), List.of(0.1, -0.2)))
                .isEqualTo("about average");
        assertThat(ClusterModel.label(List.of("spend_total", "b"), List.of(1.7, -0.6)))
                .isEqualTo("very high spend total, low b");
    }

    @Test
    void refusesWhatCannotBeDoneAndSaysWhy() {
        var few = planted(1, 3, 1);
        assertThatThrownBy(() -> KMeansClustering.fit("m", few, new Settings(4, 2, 8, null, 1)))
                .isInstanceOf(ImpossibleException.class)
                .hasMessageContaining("3 users")
                .hasMessageContaining("at least 4");
        assertThatThrownBy(() -> KMeansClustering.fit("m", List.of(), CHOOSE))
                .isInstanceOf(ImpossibleException.class)
                .hasMessageContaining("0 users");
        var equal =
                java.util.stream.IntStream.range(0, 10)
                        .mapToObj(i -> user("u" + i, Map.of("spend", 1.0)))
                        .toList();
        assertThatThrownBy(() -> KMeansClustering.fit("m", equal, CHOOSE))
                .isInstanceOf(ImpossibleException.class)
                .hasMessageContaining("no feature tells the users apart");
        assertThatThrownBy(() ->
                        KMeansClustering.fit(
                                "m",
                                planted(2, 30, 1),
                                new Settings(null, 2, 8, List.of("shoe_size"), 1)))
                .isInstanceOf(ImpossibleException.class)
                .hasMessageContaining("shoe_size");
        assertThatThrownBy(() -> new Settings(0, 2, 8, null, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Settings(null, 5, 4, null, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aStoredModelPlacesUsersAsBefore() throws Exception {
        var users = planted(3, 40, 2);
        var model = KMeansClustering.fit("m", users, CHOOSE);

        var back =
                Json.mapper()
                        .readValue(Json.mapper().writeValueAsString(model), ClusterModel.class);

        assertThat(back).isEqualTo(model);
        for (var user : users) {
            assertThat(back.place(user.features())).isEqualTo(model.place(user.features()));
        }
    }

    @Test
    void fewHeavyBuyersDoNotBecomeAClusterOfTheirOwn() throws Exception {
        var users = new ArrayList<>(planted(2, 100, 6));
        users.add(user("whale", Map.of("spend", 5_000.0, "visits", 30.0)));

        var model = KMeansClustering.fit("m", users, new Settings(2, 2, 8, null, 1));

        assertThat(model.scaling().get(model.features().indexOf("spend")).log()).isTrue();
        assertThat(Collections.min(model.sizes())).isGreaterThan(1);
    }

    private static List<UserVector> planted(int clusters, int each, long seed) {
        var random = new Random(seed);
        var users = new ArrayList<UserVector>();
        for (int c = 0; c < clusters; c++) {
            for (int i = 0; i < each; i++) {
                users.add(
                        user(
                                c + "-" + i,
                                Map.of(
                                        "spend",
                                        Math.max(0, 10 + 100.0 * c + random.nextGaussian() * 4),
                                        "visits",
                                        5 + 20.0 * (c % 2) + random.nextGaussian())));
            }
        }
        return users;
    }

    private static UserVector user(String id, Map<String, Double> features) {
        return new UserVector("t", id, Instant.parse("2026-11-20T00:00:00Z"), features);
    }
}
