package io.mirante.platform.outbound;

import io.netty.resolver.AbstractAddressResolver;
import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Resolves a host once, checks every address, and hands only checked ones to the connection: the check is the last step
 * before the connect. Literal addresses pass through it too. Names are looked up off the event loop.
 */
public final class GuardedResolver extends AddressResolverGroup<InetSocketAddress> {

    private final Destinations destinations;
    private final Executor lookups;

    /**
     * A resolver for a client's connections.
     *
     * @param lookups where names are looked up; these block
     */
    public GuardedResolver(Destinations destinations, Executor lookups) {
        this.destinations = destinations;
        this.lookups = lookups;
    }

    @Override
    protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
        return new Resolver(executor);
    }

    private final class Resolver extends AbstractAddressResolver<InetSocketAddress> {

        Resolver(EventExecutor executor) {
            super(executor, InetSocketAddress.class);
        }

        /** Never: a literal address must be checked as well. */
        @Override
        protected boolean doIsResolved(InetSocketAddress address) {
            return false;
        }

        @Override
        protected void doResolve(InetSocketAddress address, Promise<InetSocketAddress> promise) {
            lookups.execute(() -> {
                try {
                    promise.trySuccess(addresses(address).getFirst());
                } catch (UnknownHostException | RuntimeException e) {
                    promise.tryFailure(e);
                }
            });
        }

        @Override
        protected void doResolveAll(
                InetSocketAddress address, Promise<List<InetSocketAddress>> promise) {
            lookups.execute(() -> {
                try {
                    promise.trySuccess(addresses(address));
                } catch (UnknownHostException | RuntimeException e) {
                    promise.tryFailure(e);
                }
            });
        }

        private List<InetSocketAddress> addresses(InetSocketAddress address)
                throws UnknownHostException {
            var host = address.getHostString();
            InetAddress literal = address.getAddress();
            var checked =
                    literal == null
                            ? destinations.resolve(host)
                            : destinations.checked(host, literal);
            return checked.stream().map(a -> new InetSocketAddress(a, address.getPort())).toList();
        }
    }
}
