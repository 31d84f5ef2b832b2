/** Who the users are: profiles kept from clean events, shown as users and edited as fans. */
@NullMarked
package io.mirante.segmentation.profile;

import org.jspecify.annotations.NullMarked;
