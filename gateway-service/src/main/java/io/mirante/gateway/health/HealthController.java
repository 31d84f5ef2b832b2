package io.mirante.gateway.health;

import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Health of the mesh, without a key: {@code /health} and {@code /health/ready} say the same but for the status code. */
@RestController
class HealthController {

    private final ServiceStates states;

    HealthController(ServiceStates states) {
        this.states = states;
    }

    /** 200 as long as the gateway can say so; {@code status} is UP when every service is, else DOWN. */
    @GetMapping("/health")
    Report health() {
        return report();
    }

    /** The gateway runs. */
    @GetMapping("/health/live")
    Map<String, String> live() {
        return Map.of("status", "UP");
    }

    /** 200 when every service is ready, else 503. */
    @GetMapping("/health/ready")
    ResponseEntity<Report> ready() {
        var report = report();
        return ResponseEntity.status(
                        report.status().equals("UP")
                                ? HttpStatus.OK
                                : HttpStatus.SERVICE_UNAVAILABLE)
                .body(report);
    }

    private Report report() {
        var services = states.states();
        boolean up = services.values().stream().allMatch(ServiceStates.State::up);
        return new Report(up ? "UP" : "DOWN", services);
    }

    /** State of the whole and of each service by its short name. */
    record Report(String status, Map<String, ServiceStates.State> services) {}
}
