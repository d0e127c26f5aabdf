/* taut.h - all that a module needs. */
#ifndef TAUT_TAUT_H
#define TAUT_TAUT_H

#include "taut/module.h"
#include "taut/page.h"

#endif
