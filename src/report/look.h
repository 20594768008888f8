/* How a method looks in every figure: colours that the colour-blind can tell apart (Okabe and Ito;
 * Tol's muted scheme for the rest), a point and a dash, so that no two methods differ in colour
 * alone. The order of the methods is that of every legend. */
#ifndef SP_REPORT_LOOK_H
#define SP_REPORT_LOOK_H

typedef struct sp_look {
    const char *color; /* "#RRGGBB" */
    int point;         /* gnuplot's point type */
    int dash;          /* gnuplot's dash type */
    int variant;       /* how many series of the method come before */
} sp_look;

/* The look of the `variant`-th series (from 0) of a method: a variant keeps the colour and takes
 * another dash and the open or filled form of the point. A method of the registry that look.c does
 * not name takes the next free colour; black is for what the registry does not have. */
sp_look sp_look_of_method(const char *method, int variant);

/* The look of the `index`-th value of a setting, where a figure shows one method only. */
sp_look sp_look_of_value(int index);

/* Place of the method in legends: those look.c names, then the others of the registry, then unknown
 * ones. */
int sp_look_order(const char *method);

#endif
