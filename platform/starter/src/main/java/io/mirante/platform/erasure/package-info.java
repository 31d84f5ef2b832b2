/**
 * Erasure of persons: every service hears of one on {@code mirante.erasures}, removes what its consumers hold in one transaction,
 * and files and the like after it, and answers on {@code mirante.erasures.done} both times; the same topic is the list by which consumers never take an erased person in
 * again. An erasure that fails with the database is repeated; one that is repeated removes nothing more.
 */
@NullMarked
package io.mirante.platform.erasure;

import org.jspecify.annotations.NullMarked;
