<?php
/**
 * Plugin Name: Site
 * Description: What this site changes in WordPress. A must-use plugin: it is always on. Themes and plugins go beside it, into wp-content/themes and wp-content/plugins.
 */

// Which version runs here is nobody's business.
remove_action('wp_head', 'wp_generator');
add_filter('the_generator', '__return_empty_string');

// The old remote interface is a way to guess passwords; the REST interface serves what is needed today.
add_filter('xmlrpc_enabled', '__return_false');
