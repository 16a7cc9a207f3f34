// A student that imitates a teacher: its shares (Hinton et al., 2015), directions or values.
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

struct DistilOptions {
  double temperature = 1;      // divides the scores of both
  double power = 0;            // the loss is multiplied by temperature^power; Hinton's is 2
  bool detach_teacher = true;  // false lets the teacher's side learn too, as 2DMSE does
};

// Mean over rows of temperature^power KL( softmax(teacher / temperature) ||
// softmax(student / temperature) ), both [B, n], softmax along a row. Rows are scores of
// candidates, or vectors, whose components are then the shares, as 2DMSE and Starbucks align
// layers. In score lists of unequal length, -inf in both leaves a candidate out; one candidate of a
// row must stay. Throws kith::Error invalid_argument on shapes that do not fit, a temperature that
// is not above 0 and a power below 0.
Tensor distil_softmax(const Tensor& student, const Tensor& teacher,
                      const DistilOptions& options = {});

// Mean over rows of 1 - cosine, and mean over rows and components of the squared difference: two
// tensors [B, d]; the teacher gets no gradient. Both throw on shapes that do not fit.
Tensor distil_cosine(const Tensor& student, const Tensor& teacher);
Tensor distil_mse(const Tensor& student, const Tensor& teacher);

}  // namespace kith::learn
